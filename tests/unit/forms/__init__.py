"""The forms room: definitions, checks, web forms and spreadsheets, without web and database."""
