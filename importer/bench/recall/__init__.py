"""How often is what a question asks for found: public benchmarks and questions of one's own, asked verbatim."""
