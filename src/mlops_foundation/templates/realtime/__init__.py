"""Template ``realtime``: a supervised model behind a real-time endpoint."""
