"""Pictures: a line chart of a signal, and the timeline of a backtest."""
