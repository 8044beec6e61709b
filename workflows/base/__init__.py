"""What every room needs: session, clock, calendar, parameters, privacy, files, outbox, errors."""
