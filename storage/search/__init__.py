"""From a question to pictures: words, pictures and filters; and questions that are kept, as albums."""
