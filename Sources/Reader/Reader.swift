public import Flow
public import Model
import Pattern
import YAML

/// Reads Flows and Screens, and reports every mistake in them at once.
public enum Reader {
  /// The data files of this build, in the order of their paths.
  public static var builtIn: [(path: String, text: String)] { embeddedFiles }

  /// What a person runs where the program is not.
  public static let collectingScript = "Flows/collect.sh"

  /// The catalogue in these files, or every problem that they have.
  ///
  /// - Parameters:
  ///   - files: Paths such as `Flows/start.yaml` and `Screens/wrong-port.md`, with their texts.
  ///   - shapes: What the checks declare of themselves.
  ///   - linting: Whether what only shows across files is looked for: names, paths, facts. The built-in files need it no
  ///     more, since the build has done it.
  ///   - language: That of the texts for people; nil: as they are written.
  ///   - checkingPatterns: Whether regular expressions are compiled too, which takes far longer than the rest.
  /// - Returns: A nil catalogue if there is any problem; problems in the order of their places.
  public static func read(
    files: [(path: String, text: String)], shapes: [CheckShape], linting: Bool = true,
    in language: Language? = nil, checkingPatterns: Bool
  ) -> (catalog: Catalog?, problems: [Problem]) {
    let problems = Problems()
    let language = language ?? .own
    let shapes = Dictionary(shapes.map { ($0.id, $0) }) { first, _ in first }
    guard linting else { return (onDemand(files, shapes, language), []) }
    let parts = parts(of: files)
    let recipes = Recipes(files, problems)
    let draft = draft(files, isLinted: true, recipes, shapes, parts, language, problems)
    for (name, part) in parts where !draft.usedParts.contains(name) {
      problems.add(part.source.place(1), "no page takes this part in")
    }
    for (name, place) in draft.recipes.places where !draft.usedRecipes.contains(name) {
      problems.add(place, "no page wants '\(name)'")
    }
    for path in ["Flows/start.yaml", "Flows/checks.yaml", FactRegistry.file]
    where !files.contains(where: { $0.path == path }) {
      problems.add(SourcePlace(file: path, line: 1, column: 1), "there is no such file")
    }
    let tree = draft.tree
    Lint(draft: draft, tree: tree, shapes: shapes, problems: problems).run()
    if checkingPatterns { checkPatterns(draft.patterns, problems) }
    guard problems.found.isEmpty else { return (nil, problems.sorted) }
    func pages(_ kind: PageReader.Kind) -> Pages { Pages(draft.pages[kind] ?? [:]) }
    let (hops, middle, checkup, checks, looks, words) = (
      draft.hops.map(\.text), draft.middle?.text, draft.checkup, draft.checks, draft.looks, draft.words
    )
    let glossary = Glossary(draft.glossary.map(\.word))
    let (signs, apps) = (draft.signs, draft.apps)
    return (
      Catalog(
        tree: tree, hops: hops, middle: middle, pages: pages(.cause), guides: pages(.guide), checkup: checkup,
        weaknesses: pages(.weakness), checks: checks, looks: looks, words: words, glossary: glossary,
        signs: signs.with(Apps { apps })), []
    )
  }

  /// The catalogue of files that have been linted before.
  private static func onDemand(
    _ files: [(path: String, text: String)], _ shapes: [String: CheckShape], _ language: Language
  ) -> Catalog {
    @Sendable func draft(_ isWanted: (String) -> Bool) -> Draft {
      Reader.draft(
        files.filter { isWanted($0.path) }, isLinted: false, Recipes(), shapes, [:], language, Problems())
    }
    @Sendable func draft(of path: String) -> Draft { draft { $0 == path } }
    let flows = Later {
      let flows = draft(isFlow)
      return (tree: flows.tree, hops: flows.hops.map(\.text), middle: flows.middle?.text)
    }
    let pages = PageFiles(files, language)
    let apps = Apps(files)
    return Catalog(
      tree: flows.wrappedValue.tree, hops: flows.wrappedValue.hops, middle: flows.wrappedValue.middle,
      pages: pages.pages(.cause), guides: pages.pages(.guide), checkup: draft(of: CheckupReader.file).checkup,
      weaknesses: pages.pages(.weakness),
      checks: draft(of: TextReader.checks).checks, looks: draft(of: LookReader.file).looks,
      words: draft(of: TextReader.words).words,
      glossary: Glossary(draft(of: TextReader.glossary).glossary.map(\.word)),
      signs: draft { $0.hasPrefix(TextReader.signs) }.signs.with(apps))
  }

  private static func draft(
    _ files: [(path: String, text: String)], isLinted: Bool, _ recipes: Recipes, _ shapes: [String: CheckShape],
    _ parts: [String: Part], _ language: Language, _ problems: Problems
  ) -> Draft {
    var draft = Draft(isLinted: isLinted)
    draft.recipes = recipes
    // Which of two nodes of one name is the second does not depend on the caller's order.
    for file in files.sorted(by: { $0.path < $1.path }) {
      read(file, shapes, parts, language, problems, into: &draft)
    }
    var flows = FlowReader(shapes: shapes, problems: problems)
    flows.read(draft.flows, into: &draft)
    return draft
  }

  /// The built-in files with those of an author: one of the same path takes the place of the built-in one.
  public static func overlay(
    _ builtIn: [(path: String, text: String)], with files: [(path: String, text: String)]
  ) -> [(path: String, text: String)] {
    let replaced = Set(files.map(\.path))
    return (builtIn.filter { !replaced.contains($0.path) } + files).sorted { $0.path < $1.path }
  }

  /// Whether a file has nodes of the tree.
  private static func isFlow(_ path: String) -> Bool {
    let others = [TextReader.checks, CheckupReader.file, FactRegistry.file]
    return path.hasPrefix("Flows/") && path.hasSuffix(".yaml") && path.utf8.count { $0 == UInt8(ascii: "/") } == 1
      && !others.contains(path)
  }

  /// `Screens/parts/NAME.md` by name.
  static func parts(of files: [(path: String, text: String)]) -> [String: Part] {
    let folder = "Screens/parts/"
    return files.filter { $0.path.hasPrefix(folder) && $0.path.hasSuffix(".md") }.reduce(into: [:]) { parts, file in
      parts[String(file.path.dropFirst(folder.count).dropLast(3))] = Part(file: file.path, text: file.text)
    }
  }

  private static func read(
    _ file: (path: String, text: String), _ shapes: [String: CheckShape], _ parts: [String: Part],
    _ language: Language, _ problems: Problems, into draft: inout Draft
  ) {
    let words = file.path.split(separator: "/").map(String.init)
    let start = SourcePlace(file: file.path, line: 1, column: 1)
    let page = PageReader.Kind.page(file.path)
    let takenIn = words.count == 3 && words[0] == "Screens" && ["parts", "proxies"].contains(words[1])
    if takenIn && words[2].hasSuffix(".md") || [Recipes.list, collectingScript].contains(file.path)
      || Language.name(file.path) != nil
    {
      return  // read where a page takes it in, or not at all
    } else if let page {
      var page = PageReader(
        file: file.path, kind: page.kind, id: page.id, text: file.text, parts: parts, recipes: draft.recipes, language,
        problems: problems)
      page.read(into: &draft)
    } else if let exercise = ExerciseReader.name(file.path) {
      _ = ExerciseReader(problems: problems).read(exercise, file, links: &draft.links)
    } else if [TextReader.words, TextReader.glossary, LookReader.file].contains(file.path)
      || (words[0] == "Flows" && words.last?.hasSuffix(".yaml") == true
        && (words.count == 2 || words.count == 3 && ["signs", "apps"].contains(words[1])))
    {
      let (root, mistakes) = YAML.read(file.text, file: file.path)
      for mistake in mistakes { problems.add(SourcePlace(mistake.place), mistake.message) }
      guard let root = root.map({ language($0, of: file.path) }) else {
        if mistakes.isEmpty { problems.add(start, "this file is empty") }
        return
      }
      switch file.path {
      case TextReader.checks: TextReader(problems: problems).checks(root, shapes: shapes, into: &draft)
      case CheckupReader.file: CheckupReader(shapes: shapes, problems: problems).read(root, into: &draft)
      case FactRegistry.file: draft.facts = FactRegistry(root, problems)
      case let path where path.hasPrefix(AppReader.folder): AppReader(problems: problems).app(root, into: &draft)
      case _ where words.count == 3: TextReader(problems: problems).signs(root, into: &draft)
      case LookReader.file: LookReader(problems: problems).looks(root, into: &draft)
      case TextReader.words: TextReader(problems: problems).words(root, into: &draft)
      case TextReader.glossary: TextReader(problems: problems).glossary(root, into: &draft)
      case let path: draft.flows.append((root, isStart: path == "Flows/start.yaml"))
      }
    } else {
      problems.add(
        start,
        "files are named Flows/NAME.yaml, Flows/apps/NAME.yaml, Flows/signs/NAME.yaml, Screens/CAUSE.md, Screens/guides/NAME.md, Screens/checkup/WEAKNESS.md, Screens/parts/NAME.md, Screens/proxies/KIND.md, Screens/practice/NAME.yaml, Screens/languages/NAME.po, Screens/recipes.yaml, Screens/looks.yaml, Screens/glossary.yaml or Screens/words.yaml"
      )
    }
  }

  private static func checkPatterns(_ patterns: [Text], _ problems: Problems) {
    for pattern in patterns {
      do {
        _ = try Pattern(pattern.text)
      } catch {
        problems.add(
          pattern.at, "this pattern does not compile: \(error.message), at its character \(error.offset + 1)")
      }
    }
  }
}

extension Signs {
  fileprivate func with(_ apps: Apps) -> Signs {
    var signs = self
    signs.apps = apps
    return signs
  }
}
