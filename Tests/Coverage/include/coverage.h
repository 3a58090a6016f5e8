/// Which branches of the program ran, where it was built with `-sanitize-coverage=edge,trace-pc-guard`.
///
/// Source: clang.llvm.org/docs/SanitizerCoverage.html, "Tracing PCs with guards".

/// True if the program was built so.
int coverage_is_on(void);

/// True if a run went a way that none before it has gone, or one much more often; then forgets the run.
int coverage_is_new(void);
