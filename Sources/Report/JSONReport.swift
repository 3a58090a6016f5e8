import FoundationEssentials
public import Flow
public import Model

/// The document of `diagnosis.schema.json`, schema 1, without secrets, with a newline at its end.
public func jsonReport(_ diagnosis: Diagnosis, catalog: Catalog) -> String {
  let document = Document(
    diagnosis.withoutSecrets(catalog, showsCut: false), kinds: Set(catalog.signs.proxies.map(\.kind)))
  return jsonText(document)
}

/// A document as text, in which every sign is seen as itself, with a newline at its end.
func jsonText(_ document: some Encodable) -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  return (try? encoder.encode(document)).map { String(decoding: $0, as: UTF8.self).escaped + "\n" } ?? ""
}

/// An array of such documents.
public func jsonReport(_ diagnoses: [Diagnosis], catalog: Catalog) -> String {
  "[\n" + diagnoses.map { String(jsonReport($0, catalog: catalog).dropLast()) }.joined(separator: ",\n") + "\n]\n"
}

extension String {
  /// JSON text in which what would not be seen as itself is written as `\uXXXX`: the same values, shown.
  var escaped: String {
    replacingHidden { scalar in
      if scalar == "\n" { return "\n" }
      return String(scalar).utf16.map { unit in
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }.joined()
    }
  }
}

/// The diagnosis in the words of the schema.
private struct Document: Encodable {
  struct Observed: Encodable {
    let status: Int?
    let seconds: Double?
    let error: String?
    let emitted_by: String?

    /// `status` and `seconds` are there even if they are null.
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Keys.self)
      try container.encode(status, forKey: .status)
      try container.encode(seconds, forKey: .seconds)
      try container.encode(error, forKey: .error)
      try container.encode(emitted_by, forKey: .emitted_by)
    }

    enum Keys: String, CodingKey { case status, seconds, error, emitted_by }
  }

  struct Proxy: Encodable {
    let kind: String
    let `where`: String
    let version: String?
  }

  struct Route: Encodable {
    let host: String?
    let upstream: String?
    let defined_in: String?
  }

  struct Fix: Encodable {
    let screen: String
    let steps: [Diagnosis.Step]
    let sources: [String]
  }

  struct Cause: Encodable {
    let id: String
    let confidence: String
    let title: String
    let explanation: String
    let evidence: [String]
    let fix: Fix
  }

  struct CheckRun: Encodable {
    let id: String
    let outcome: String
    let seconds: Double
    let summary: String
  }

  let schema = 1
  /// Left out for this machine.
  let host: String?
  let url: String
  let verdict: String
  let observed: Observed
  let proxy: Proxy?
  let route: Route?
  let causes: [Cause]
  let checks: [CheckRun]
  let questions: [String]

  /// - Parameter kinds: Those of the signs, which the schema has, too; any other is `unknown`.
  init(_ diagnosis: Diagnosis, kinds: Set<String>) {
    host = diagnosis.host
    url = diagnosis.url
    verdict = diagnosis.verdict.rawValue
    observed = Observed(
      status: diagnosis.observed.status, seconds: diagnosis.observed.seconds, error: diagnosis.observed.error,
      emitted_by: diagnosis.observed.emittedBy)
    proxy = diagnosis.proxy.map {
      Proxy(kind: kinds.contains($0.kind) ? $0.kind : "unknown", where: $0.place, version: $0.version)
    }
    route = diagnosis.route.map { Route(host: $0.host, upstream: $0.upstream, defined_in: $0.definedIn) }
    causes = diagnosis.causes.map { cause in
      Cause(
        id: cause.id, confidence: cause.confidence.rawValue, title: cause.title, explanation: cause.explanation,
        evidence: cause.evidence.map { "\($0.text) (\($0.check))" },
        fix: Fix(
          screen: cause.id,
          steps: cause.steps, sources: cause.sources))
    }
    checks = diagnosis.checks.map {
      CheckRun(id: $0.id, outcome: $0.outcome, seconds: $0.seconds, summary: $0.summary)
    }
    questions = diagnosis.questions
  }
}
