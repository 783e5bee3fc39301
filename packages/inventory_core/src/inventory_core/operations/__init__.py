"""What can be done: one module per verb, one public function per use case, one write each."""
