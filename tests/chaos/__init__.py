"""Faults in real processes while robots converse: ``make chaos`` runs it at length."""
