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

  /// To be looked at.
  var world: any World { recorder }

  /// The result, without names if that is wanted: the one that the file gives.
  func keep(_ diagnosis: Diagnosis, _ course: Course, _ catalog: Catalog) async -> Diagnosis {
    let seen = recorder.recording(of: course)
    let recording = anonymizes ? seen.anonymized : seen
    do throws(Evidence.Failure) { try file?.write(recording) } catch {
      Wizard502.complain("wizard502: \(error.sentence)")
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
}
