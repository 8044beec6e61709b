"""Keeping an installation: backed up while people work, restored, moved to another database; each proved by hashes of rows."""
