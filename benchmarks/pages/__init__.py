"""Tables, figures and pages, made from the results that are stored; nothing is measured here."""
