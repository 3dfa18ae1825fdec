"""What the benchmark and the tests share: generated corpora with a known content, and the ways to measure."""
