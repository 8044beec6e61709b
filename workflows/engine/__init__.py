"""The only place that knows SpiffWorkflow."""
