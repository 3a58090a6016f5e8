public import Model

/// A command by which a person takes a look: parts of one line, of which those are left out that are not for this look.
public struct ByHand: Sendable, Equatable {
  public struct Part: Sendable, Equatable {
    public let text: Template
    /// Without it there is no such command; what is not needed is left out where its facts are not known.
    public let isNeeded: Bool
    /// It is for looks of which this is known.
    public let condition: FactName?
    public init(_ text: Template, isNeeded: Bool = true, if condition: FactName? = nil) {
      (self.text, self.isNeeded, self.condition) = (text, isNeeded, condition)
    }
  }

  public let parts: [Part]
  public init(_ parts: [Part]) { self.parts = parts }

  /// The command for a POSIX shell, each value one word of it; nil if it is not for what these facts tell.
  ///
  /// Throws `withheld` for a value that no command can show.
  public func command(_ facts: Facts) throws(Template.Unfilled) -> String? {
    var sources: [String] = []
    for part in parts {
      let isMeant = (part.text.placeholders + [part.condition].compactMap(\.self)).allSatisfy { facts[$0] != nil }
      if !isMeant, part.isNeeded { return nil }
      guard isMeant else { continue }
      sources.append(part.text.source)
    }
    // As one line: what one part ends with may lead to the next, such as `sudo`.
    return try Template(sources.joined(separator: " ")).command(facts)
  }
}

extension Catalog {
  /// The command by which a person takes the same look; nil if there is none.
  public func command(for sighting: Sighting, _ facts: Facts) throws(Template.Unfilled) -> String? {
    let facts = facts.merging(sighting.facts)
    for way in looks[sighting.kind] ?? [] {
      if let command = try way.command(facts) { return command }
    }
    return nil
  }
}

extension Session {
  /// The looks on which a finding rests. A check that takes none rests on those by which it was told what it needs.
  public func sightings(of check: String) -> [Sighting] {
    guard let finding = finding(of: check) else { return [] }
    guard finding.sightings.isEmpty else { return told(first: finding.sightings, by: check) }
    let needs = Set(shapes[check]?.needs ?? [])
    return record.findings.last { $0.check != check && !$0.facts.names.isDisjoint(with: needs) }?.sightings ?? []
  }

  /// First those that have most words of what is said of the finding.
  private func told(first sightings: [Sighting], by check: String) -> [Sighting] {
    let words = Set((evidence(of: check, facts)?.text ?? "").split(separator: " "))
    let counts = sightings.map { sighting in
      Set(sighting.lines.flatMap { $0.split { " <>\"".contains($0) } }).intersection(words).count
    }
    return sightings.indices.sorted { (counts[$1], $0) < (counts[$0], $1) }.map { sightings[$0] }
  }

  /// The command by which a person sees best what a finding rests on; nil if there is none, or none that can be shown.
  func command(for check: String, _ facts: Facts) -> String? {
    sightings(of: check).firstMapped { sighting in
      do throws(Template.Unfilled) { return try catalog.command(for: sighting, facts) } catch { return nil }
    }
  }
}
