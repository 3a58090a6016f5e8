/// Numbers from outside, without a trap: a configuration may say `1e400`, `nan` or twenty digits.
extension Int {
  /// The nearest whole number that there is room for, the fraction cut off; 0 for what is no number.
  public init(clamping number: Double) {
    self = Int(exactly: number.rounded(.towardZero)) ?? (number.isNaN ? 0 : number < 0 ? .min : .max)
  }

  /// The product, or the largest or smallest number where there is no room for it.
  public func clampedProduct(_ other: Int) -> Int {
    let (product, isTooLarge) = multipliedReportingOverflow(by: other)
    return isTooLarge ? (self < 0) == (other < 0) ? .max : .min : product
  }
}

extension Double {
  /// Seconds as a person reads them: `0.02`, `1.5`, `60`. Empty, which no fact takes, for what is no number.
  public var inWords: String {
    if isNaN { return "" }
    let digits = self < 0.1 ? 1000.0 : self < 10 ? 10.0 : 1.0
    let rounded = (self * digits).rounded() / digits
    return rounded == rounded.rounded() ? String(Int(clamping: rounded)) : String(rounded)
  }
}
