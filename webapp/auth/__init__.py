"""Login, logout, passwords, registration of employers, one's own account."""
