"""Where people read: a workflow of Teams, incoming webhooks of Slack, and any webhook."""
