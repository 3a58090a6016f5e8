public import Flow
import Model

extension Diagnosis.Step {
  fileprivate func withoutSecrets(_ catalog: Catalog, showsCut: Bool) -> Self {
    let (command, patch) = (command?.redacted, patch?.redacted)
    let isCut = command != self.command || patch != self.patch
    let shows = showsCut || !isCut
    return Self(
      text: text.redacted + (isCut ? "\n" + catalog.word("step.secret") : ""), command: shows ? command : nil,
      place: place, file: file?.redacted, patch: shows ? patch : nil, changes: changes)
  }
}

extension CheckedSite {
  /// What was found as it may leave the machine, as `Diagnosis.withoutSecrets`.
  public func withoutSecrets(_ catalog: Catalog, showsCut: Bool) -> CheckedSite {
    CheckedSite(
      url: url?.redacted,
      weaknesses: weaknesses.map { found in
        Found(
          id: found.id, urgency: found.urgency, title: found.title.redacted, why: found.why.redacted,
          evidence: found.evidence.map(\.redacted),
          steps: found.steps.map { $0.withoutSecrets(catalog, showsCut: showsCut) })
      }, unseen: unseen.map(\.redacted))
  }
}

extension Diagnosis {
  /// This diagnosis as it may leave the machine: every text of it redacted.
  ///
  /// Of a command or a patch with a secret in it `showsCut` keeps the rest, to read. Without, it is left out, since it
  /// would not do what it says. Either way the step says so.
  func withoutSecrets(_ catalog: Catalog, showsCut: Bool) -> Diagnosis {
    func evidence(_ seen: Evidence) -> Evidence {
      // A command without its secret would not do what it says.
      let command = seen.command.flatMap { $0.redacted == $0 ? $0 : nil }
      return Evidence(check: seen.check, mark: seen.mark, text: seen.text.redacted, command: command)
    }
    func cause(_ cause: Cause) -> Cause {
      Cause(
        id: cause.id, confidence: cause.confidence, title: cause.title.redacted,
        explanation: cause.explanation.redacted,
        evidence: cause.evidence.map { evidence($0) },
        steps: cause.steps.map { $0.withoutSecrets(catalog, showsCut: showsCut) },
        prevention: cause.prevention.map(\.redacted), sources: cause.sources)
    }
    return Diagnosis(
      url: url.redacted, verdict: verdict,
      observed: Observed(
        status: observed.status, seconds: observed.seconds, error: observed.error?.redacted,
        emittedBy: observed.emittedBy?.redacted),
      proxy: proxy.map { Proxy(kind: $0.kind, place: $0.place.redacted, version: $0.version?.redacted) },
      route: route.map {
        Route(host: $0.host?.redacted, upstream: $0.upstream?.redacted, definedIn: $0.definedIn?.redacted)
      },
      causes: causes.map(cause),
      ruledOut: ruledOut.map { RuledOut(cause: $0.cause, title: $0.title.redacted, because: $0.because.redacted) },
      checks: checks.map {
        CheckRun(id: $0.id, outcome: $0.outcome, seconds: $0.seconds, summary: $0.summary.redacted)
      }, questions: questions.map(\.redacted), host: host)
  }
}
