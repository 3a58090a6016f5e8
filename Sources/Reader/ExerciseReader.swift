public import Flow
import Model
import YAML
internal import FoundationEssentials

/// Reads one exercise, `Screens/practice/NAME.yaml`. Its recordings lie beside it: `NAME.1.xz` and so on.
struct ExerciseReader {
  static let folder = "Screens/practice/"
  private static let hints = 3

  var language = Language.own
  let problems: Problems

  /// The name of the exercise that is in the file; nil if it is of another kind.
  static func name(_ path: String) -> String? {
    guard path.hasPrefix(folder), path.hasSuffix(".yaml") else { return nil }
    return String(path.dropFirst(folder.count).dropLast(5))
  }

  /// - Parameter links: Takes the causes that it names.
  func read(_ name: String, _ file: (path: String, text: String), links: inout [Draft.Link]) -> Exercise? {
    let (root, mistakes) = YAML.read(file.text, file: file.path)
    for mistake in mistakes { problems.add(SourcePlace(mistake.place), mistake.message) }
    guard let root = root.map({ language($0, of: file.path) }) else { return nil }
    let record = root.record(["title", "goal", "hints", "first", "causes", "others", "staged"], problems)
    let hints = record.texts("hints")
    if hints.count != Self.hints { problems.add(record.at, "an exercise has \(Self.hints) 'hints'") }
    let (causes, others) = (record.required("causes")?.texts(problems) ?? [], record.texts("others"))
    links += (causes + others).map { .init(target: .page, name: $0) }
    for other in others where causes.contains(where: { $0.text == other.text }) {
      problems.add(other.at, "'\(other.text)' is among the 'causes', too")
    }
    if others.isEmpty { problems.add(record.at, "there is nothing to choose from: 'others' is missing") }
    let texts = ["title", "goal", "first"].map(record.requiredText)
    guard let title = texts[0], let goal = texts[1], let first = texts[2] else { return nil }
    return Exercise(
      name: name, title: title.text, goal: goal.text, hints: hints.map(\.text), first: first.text,
      causes: causes.map(\.text), others: others.map(\.text))
  }
}

extension Reader {
  /// The exercises in these files, in the order of their names, and what is wrong with any of them in itself.
  public static func exercises(
    _ files: [(path: String, text: String)], in language: Language? = nil
  ) -> (exercises: [Exercise], problems: [Problem]) {
    let problems = Problems()
    var links: [Draft.Link] = []
    let reader = ExerciseReader(language: language ?? .own, problems: problems)
    let exercises = files.compactMap { file in
      ExerciseReader.name(file.path).flatMap { reader.read($0, file, links: &links) }
    }
    return (exercises.sorted { $0.name < $1.name }, problems.sorted)
  }

  /// Exercises that lie in a folder of their own, as `NAME.yaml`.
  public static func exercises(
    in directory: String
  ) throws(Unreadable) -> (exercises: [Exercise], problems: [Problem]) {
    guard let names = try names(in: directory) else {
      throw Unreadable(path: directory, reason: "there is no such folder")
    }
    var files: [(path: String, text: String)] = []
    for name in names where !name.hasPrefix(".") && name.hasSuffix(".yaml") {
      files.append((ExerciseReader.folder + name, try text(of: "\(directory)/\(name)")))
    }
    return exercises(files)
  }

  /// A system of an exercise of this build, as a recording that is compressed; nil if there is none.
  ///
  /// - Parameter number: From 1.
  public static func recording(_ exercise: String, _ number: Int) -> [UInt8]? {
    let path = "\(ExerciseReader.folder)\(exercise).\(number).xz"
    return embeddedRecordings.first { $0.path == path }.flatMap { Data(base64Encoded: $0.base64) }.map { Array($0) }
  }
}
