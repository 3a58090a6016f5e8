import Flow
import Model
import World

/// Writes down what a diagnosis sees, and shows without names what came of it, if that is wanted.
struct Keeper: Sendable {
  private let recorder: Recorder
  private let file: Evidence.File?
  private let anonymizes: Bool

  /// Nil if nothing is to be written down.
  init?(of subject: Subject, _ arguments: Arguments) throws(Evidence.Failure) {
    if case .recording = subject { return nil }
    guard arguments.save != nil || arguments.anonymizes else { return nil }
    file = if let path = arguments.save { try Evidence.File(creating: path) } else { nil }
    anonymizes = arguments.anonymizes
    recorder = Recorder(subject.world)
  }

  /// One that keeps what is seen for the output, and for no file.
  init(recording world: any World) {
    (file, anonymizes, recorder) = (nil, false, Recorder(world))
  }

  /// What was seen in a diagnosis, without secrets, in its written form.
  func written(_ course: Course) -> String {
    String(decoding: recorder.recording(of: course).redacted.written, as: UTF8.self)
  }

  /// To be looked at.
  var world: any World { recorder }

  /// The result, without names if that is wanted: the one that the file gives.
  func keep(_ diagnosis: Diagnosis, _ course: Course, _ catalog: Catalog) async -> Diagnosis {
    let (redacted, hidden) = recorder.recording(of: course).redaction
    let recording = anonymizes ? redacted.anonymized : redacted
    if let file {
      do throws(Evidence.Failure) {
        try file.write(recording)
        tell(hidden, in: file.path, catalog)
      } catch {
        Wizard502.complain("wizard502: \(error.sentence)")
      }
    }
    guard anonymizes, let course = recording.course else { return diagnosis }
    let again = await diagnose(course.givenAgain, catalog, Rounds(recording, catalog.signs), as: course).diagnosis
    if again.causes.map({ [$0.id, $0.confidence.rawValue] })
      != diagnosis.causes.map({ [$0.id, $0.confidence.rawValue] })
    {
      Wizard502.complain(
        "wizard502: with other names the result is another one; without --anonymize it is the right one")
    }
    return again
  }

  /// What was left out of the file, before somebody passes it on: how much of which kind, and where.
  private func tell(_ hidden: [Recording.Hidden], in file: String, _ catalog: Catalog) {
    let kinds = HiddenKind.allCases.compactMap { kind -> String? in
      let count = hidden.reduce(0) { $0 + ($1.counts[kind] ?? 0) }
      return count == 0 ? nil : catalog.word("hidden.\(kind.rawValue)", ["hidden.count": String(count)])
    }
    let facts: Facts = ["report.file": file, "hidden.kinds": kinds.joined(separator: ", ")]
    Wizard502.complain("wizard502: " + catalog.word(kinds.isEmpty ? "hidden.nothing" : "hidden.something", facts))
    // Where names are not to be told, the kind of a look is all that can be.
    let places = Dictionary(
      hidden.map { (anonymizes ? $0.kind : $0.look, $0.counts.values.reduce(0, +)) }, uniquingKeysWith: +)
    let ranked = places.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    for (place, count) in ranked.prefix(Self.places) {
      Wizard502.complain("  \(place.printable): \(count)")
    }
    if ranked.count > Self.places {
      Wizard502.complain("  " + catalog.word("hidden.more", ["hidden.count": String(ranked.count - Self.places)]))
    }
  }

  /// How many places are told one by one.
  private static let places = 20
}
