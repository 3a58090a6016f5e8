extension String {
  /// Seconds of a duration in Go's form: `30s`, `1m30s`, `500ms`, or a number of seconds.
  var goSeconds: Double? {
    if let seconds = Double(self) { return seconds }
    let units: [String: Double] = ["ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600]
    var rest = self[...]
    var sum = 0.0
    while !rest.isEmpty {
      let number = rest.prefix { $0.isNumber || $0 == "." }
      let unit = rest.dropFirst(number.count).prefix { $0.isLetter }
      guard let value = Double(number), let factor = units[String(unit)] else { return nil }
      sum += value * factor
      rest = rest.dropFirst(number.count + unit.count)
    }
    return sum
  }
}
