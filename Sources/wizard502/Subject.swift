import Discovery
import Flow
import Model
import Pasted
import World

/// What is looked at: this machine, or what was seen of another.
enum Subject {
  case machine(any World)
  /// With the address at which was looked.
  case recording(Recording, Site)
  case paste(PastedWorld)

  var world: any World {
    switch self {
    case .machine(let world): world
    case .recording(let recording, _): recording
    case .paste(let pasted): pasted
    }
  }

  /// How the diagnosis of a recording went.
  var course: Course? { if case .recording(let recording, _) = self { recording.course } else { nil } }
}

extension Arguments {
  /// The one place at which it is chosen.
  ///
  /// - Parameters:
  ///   - url: The address that was asked for, as it was typed.
  ///   - signs: By what the lines of logs in a paste are known.
  func subject(_ url: String?, _ signs: @autoclosure () -> Signs) throws(Evidence.Failure) -> Subject {
    if let from {
      let recording = try Evidence.read(from)
      let site = try recording.site(url)
      guard anonymizes else { return .recording(recording, site) }
      let other = recording.anonymized
      return .recording(other, try other.site(other.course == nil ? site.url : nil))
    }
    if let paste { return .paste(try Evidence.pasted(paste, signs())) }
    let machine = Wizard502.world()
    return .machine(restriction(at: url).map { Confined(machine, to: $0) } ?? machine)
  }

  /// The host that may be asked besides this machine, empty if none is named; nil: every one.
  func restriction(at url: String?) -> String? { isRestricted ? url.flatMap { Site($0) }?.host ?? "" : nil }
}

extension PastedWorld {
  /// The lines that say nothing known, in sentences: the first of them, if they may be shown, and how many more there are.
  func unread(in catalog: Catalog, showing showsLines: Bool = true) -> [String] {
    let shown = unread.prefix(showsLines ? 5 : 0).map { number, line in
      catalog.word("notice.unread", ["paste.number": String(number), "paste.line": line.excerpt(of: 60)])
    }
    let rest = unread.count - shown.count
    return shown + (rest > 0 ? [catalog.word("notice.unread-more", ["paste.more": String(rest)])] : [])
  }
}
