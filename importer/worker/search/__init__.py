"""From a question to ranked conversations: dates named in it, ranking, passages, and how near what was found is."""
