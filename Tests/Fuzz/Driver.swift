/// What is fuzzed by one name.
protocol Driver: Sendable {
  /// `nginx`, `tar`
  var name: String { get }
  /// Inputs to start from, out of the repository's folder.
  func seeds(_ repository: Repository) -> [[UInt8]]
  /// Reads the input in every way that the program has for it. Ends by itself, or it is a finding.
  func run(_ input: [UInt8]) async
}

/// What must be true of every input.
func expect(_ isTrue: Bool, _ what: @autoclosure () -> String) {
  if !isTrue { fatalError("expected: \(what())") }
}
