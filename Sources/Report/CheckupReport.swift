public import Flow
import Model

/// What a checkup found, as an array of sites.
public func checkupJSON(_ sites: [CheckedSite]) -> String { jsonText(sites) }

/// The same for a terminal's scrollback. What was told of one site already is only named at the next ones.
public func checkupText(_ sites: [CheckedSite], catalog: Catalog) -> String {
  let writing = Writing(catalog: catalog, isMarkdown: false)
  var told: [CheckedSite.Found.Content: String] = [:]
  let parts = sites.map { site in
    let url = site.url ?? ""
    let found = site.weaknesses.map { weakness in
      if let first = told[weakness.content], first != url {
        return "- "
          + catalog.word("checkup.same", ["weakness.title": weakness.title, "checkup.site": first.printable])
      }
      told[weakness.content] = url
      return writing.weakness(weakness)
    }
    let verdict = found.isEmpty ? catalog.word(site.unseen.isEmpty ? "checkup.nothing" : "checkup.nothing-seen") : ""
    let unseen = site.unseen.isEmpty ? "" : catalog.word("checkup.unseen") + ":\n" + writing.list(site.unseen)
    let title = site.url.map(\.printable) ?? catalog.word("checkup.machine")
    return ([title + (verdict.isEmpty ? "" : "\n" + verdict)] + found + [unseen]).filter { !$0.isEmpty }
      .joined(separator: "\n\n")
  }
  return parts.joined(separator: "\n\n") + "\n"
}

extension Writing {
  fileprivate func weakness(_ found: CheckedSite.Found) -> String {
    let urgency = word("checkup.urgency.\(found.urgency.rawValue)")
    return
      ([
        "\(found.title) (\(urgency), \(found.id))", found.why,
        heading(3, word("report.evidence")) + "\n" + list(found.evidence), heading(3, word("report.fix")),
      ] + found.steps.enumerated().map { step($0.element, number: $0.offset + 1) }).joined(separator: "\n\n")
  }
}

extension CheckedSite.Found {
  /// What makes it the same at another site.
  fileprivate struct Content: Hashable { let id, title: String, commands: [String] }

  fileprivate var content: Content {
    Content(id: id, title: title, commands: steps.compactMap { $0.command ?? $0.patch })
  }
}
