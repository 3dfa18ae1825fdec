"""Conversations as people and assistants read them: opened, listed, joined from what is stored of them."""
