extension Sequence {
  /// What the first element for which there is something is turned into; nil if there is no such one.
  ///
  /// `lazy.compactMap(_:).first` says the same, and turns that element twice.
  public func firstMapped<Mapped>(_ transform: (Element) -> Mapped?) -> Mapped? {
    for element in self {
      if let mapped = transform(element) { return mapped }
    }
    return nil
  }
}
