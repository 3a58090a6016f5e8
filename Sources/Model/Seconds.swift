extension Double {
  /// Seconds as a person reads them: `0.02`, `1.5`, `60`.
  public var inWords: String {
    let digits = self < 0.1 ? 1000.0 : self < 10 ? 10.0 : 1.0
    let rounded = (self * digits).rounded() / digits
    return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
  }
}
