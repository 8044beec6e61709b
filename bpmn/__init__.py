"""Process definitions: what the government decided, one folder per approval."""
