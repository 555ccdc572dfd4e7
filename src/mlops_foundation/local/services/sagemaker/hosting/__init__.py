"""Hosting: models, endpoint configurations, endpoints and the model servers behind them."""
