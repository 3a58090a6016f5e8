public import Model

extension Session {
  /// The result as it stands: complete once `walk()` has ended.
  ///
  /// Of several proxies in a row it is that of the last one, if it names a cause, as seen from the first one.
  public func diagnosis() -> Diagnosis {
    let before = before
    let own = own(after: before.flatMap { $0.evidence(on: $0.walk(), $0.facts) })
    guard let first = before.first, let last = before.last else { return own }
    var whole = own
    if own.causes.isEmpty {
      whole = last.own(after: before.dropLast().flatMap { $0.evidence(on: $0.walk(), $0.facts) })
      whole.questions += own.questions
    }
    let seen = first.own(after: [])
    (whole.url, whole.observed) = (seen.url, seen.observed)
    whole.checks = before.flatMap { $0.own(after: []).checks } + own.checks
    return whole
  }

  /// - Parameter earlier: What was seen at the proxies before this one.
  private func own(after earlier: [Diagnosis.Evidence]) -> Diagnosis {
    let walk = walk()
    let facts = facts
    let evidence = earlier + evidence(on: walk, facts)
    let causes = walk.causes.compactMap { names in
      catalog.pages[names.cause]?.filled(facts, catalog, confidence: names.confidence, evidence: evidence)
    }
    let isDiagnosed = causes.contains { $0.confidence < .possible }
    let verdict: Diagnosis.Verdict =
      if isDiagnosed { .diagnosed } else if causes.isEmpty, walk.state == .ended(.working) { .working } else {
        .inconclusive
      }
    return Diagnosis(
      url: facts[.url] ?? "", verdict: verdict,
      observed: observed(facts),
      proxy: facts[.proxyKind].map {
        .init(kind: $0, place: facts[.proxyWhere] ?? "", version: facts[.proxyVersion])
      },
      route: facts[.routeUpstream] == nil && facts[.routeHost] == nil
        ? nil
        : .init(host: facts[.routeHost], upstream: facts[.routeUpstream], definedIn: facts[.routeDefinedIn]),
      causes: causes, ruledOut: ruledOut(on: walk, facts),
      checks: order.compactMap { check in
        finding(of: check).map {
          .init(
            id: check, outcome: $0.outcome, seconds: $0.seconds, summary: self.evidence(of: check, facts)?.text ?? "")
        }
      },
      questions: verdict == .working ? [] : walk.open, other: verdict == .working ? nil : facts[.farMachine])
  }

  /// What a browser gets: at the address to which the name leads.
  private func observed(_ facts: Facts) -> Diagnosis.Observed {
    guard facts[.publicStatus] == nil, facts[.publicError] == nil else {
      return .init(
        status: facts.number(.publicStatus), seconds: facts.seconds(.publicSeconds),
        error: facts[.publicError], emittedBy: facts[.publicServer])
    }
    return .init(
      status: facts.number(.siteStatus), seconds: facts.seconds(.siteSeconds), error: facts[.siteError],
      emittedBy: facts[.siteServer])
  }

  /// The findings on the way, in its order.
  public func evidence(on walk: Walk, _ facts: Facts) -> [Diagnosis.Evidence] {
    walk.steps.compactMap { step in
      guard case .check(let check) = step.node.looks, let evidence = evidence(of: check, facts) else { return nil }
      return .init(check: check, mark: evidence.mark, text: evidence.text, command: command(for: check, facts))
    }
  }

  /// A finding in words; nil if the check has not ended. What a person says instead, or has pasted, is marked as such.
  public func evidence(of check: String, _ facts: Facts) -> Diagnosis.Evidence? {
    guard let finding = finding(of: check) else { return nil }
    let evidence = catalog.evidence(finding, facts)
    let name: String
    if record.overruled[check] != nil {
      name = "evidence.you-say"
    } else if let hearsay = finding.hearsay, finding.outcome != Finding.unknown {
      name = "evidence.pasted.\(hearsay.rawValue)"
    } else {
      return evidence
    }
    let text = catalog.word(name, ["evidence.text": evidence.text])
    return Diagnosis.Evidence(check: check, mark: evidence.mark, text: text)
  }

  /// Causes of the branches that were not taken because something was seen.
  private func ruledOut(on walk: Walk, _ facts: Facts) -> [Diagnosis.RuledOut] {
    var seen = Set(walk.causes.map(\.cause))
    return walk.steps.flatMap { step -> [Diagnosis.RuledOut] in
      guard case .check(let check) = step.node.looks, let finding = finding(of: check),
        finding.outcome != Finding.unknown
      else { return [] }
      let because = evidence(of: check, facts)?.text ?? ""
      let others = step.node.branches.filter { !$0.keys.contains(step.key) }.flatMap(\.names).map(\.cause)
      return others.filter { seen.insert($0).inserted }.map { cause in
        .init(cause: cause, title: catalog.title(of: cause, facts), because: because)
      }
    }
  }
}
