extension String {
  /// Whether the name is that of a script; those that are asked for are taken to be there, other files are not.
  var isScript: Bool { hasSuffix(".php") }
}
