"""Official documents: numbering, rendering, signing, verification."""
