public import Flow
public import Model

/// The diagnosis as one line of Prometheus' text format, without secrets: 1 if the site works, 0 if it fails, `NaN` where
/// neither was seen.
///
/// Source: Prometheus, "Exposition formats".
public func metricReport(_ diagnosis: Diagnosis, catalog: Catalog) -> String {
  let shown = diagnosis.withoutSecrets(catalog, showsCut: true)
  let cause = shown.verdict == .diagnosed ? shown.causes.first?.id : nil
  let labels = [("site", shown.url), ("host", shown.host ?? ""), ("cause", cause ?? "")]
  let value =
    switch shown.verdict {
    case .working: "1"
    case .diagnosed: "0"
    case .inconclusive: shown.observed.status.map { $0 >= 500 } == true ? "0" : "NaN"
    }
  return "\(metric){\(labels.map { "\($0)=\"\($1.inLabel)\"" }.joined(separator: ","))} \(value)\n"
}

/// Lines of it as a whole text; a site that two proxies list is in it once.
public func metricReport(_ lines: [String], catalog: Catalog) -> String {
  var seen: Set<Substring> = []
  let samples = lines.flatMap(\.lines).filter { !$0.isEmpty && seen.insert($0.prefix { $0 != "}" }).inserted }
  return (["# HELP \(metric) \(catalog.word("metric.help"))", "# TYPE \(metric) gauge"] + samples.map(String.init))
    .map { $0 + "\n" }.joined()
}

private let metric = "wizard502_site_up"

extension String {
  /// As the value of a label.
  fileprivate var inLabel: String {
    printable.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
  }
}
