// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

func module(_ name: String, _ dependencies: [Target.Dependency] = [], plugins: [Target.PluginUsage] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict, plugins: plugins)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = [], exclude: [String] = []
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies, path: "Tests/\(name)", exclude: exclude, resources: resources,
    swiftSettings: strict)
}

let package = Package(
  name: "wizard502",
  targets: [
    // C libraries: a module map and, where Swift cannot import something, a shim. `CCurl` loads its library when it is wanted.
    .systemLibrary(name: "CArchive"),
    .systemLibrary(name: "CAres"),
    .systemLibrary(name: "CCmark"),
    .target(name: "CCurl"),
    .target(name: "CNcurses"),
    .systemLibrary(name: "CPCRE2"),
    .target(name: "CProcess"),
    .systemLibrary(name: "CSQLite"),
    .target(name: "CTOML"),
    .systemLibrary(name: "CYAML"),
    .systemLibrary(name: "CLinux"),

    // One Swift module around one C library.
    module("Archive", ["CArchive"]),
    module("HTTP", ["Model", "World", "CCurl"]),
    module("Markdown", ["CCmark"]),
    module("Pattern", ["CPCRE2"]),
    module("SQLite", ["CSQLite"]),
    module("TOML", ["Model", "CTOML"]),
    module("YAML", ["Model", "CYAML"]),

    // The program: pure in the middle, the machine at the edge.
    module("Model"),
    module("LogLines", ["Model", "Pattern"]),
    module("Flow", ["LogLines", "Model"]),
    module("Reader", ["Flow", "Model", "YAML", "Markdown", "Pattern"], plugins: ["EmbedData"]),
    module("World", ["Model"]),
    module("Machine", ["World", "Model", "HTTP", "SQLite", "CAres", "CLinux"]),
    module("Routes", ["Model"]),
    module("Discovery", ["World", "Model", "Routes", "Archive", "LogLines", "Pattern", "TOML", "YAML"]),
    module("Pasted", ["World", "Model", "LogLines", "Pattern", "YAML"]),
    module("Firewall", ["World", "Model"]),
    module("Checks", ["World", "Model", "Routes", "Discovery", "Firewall", "LogLines", "Pattern"]),
    module("Report", ["Flow", "LogLines", "Model"]),
    module("Screen", ["Flow", "LogLines", "Model"]),
    module("Terminal", ["Screen", "Model", "CNcurses"]),
    .executableTarget(
      name: "wizard502",
      dependencies: [
        "Model", "Flow", "Reader", "World", "Machine", "Pasted", "Discovery", "LogLines", "Checks", "Report", "Screen",
        "Terminal", "Archive", "CLinux", "CProcess",
      ],
      swiftSettings: strict, plugins: ["EmbedRevision"]),

    tests("ScreenTests", ["Screen", "ScreenCase", "Flow", "Model"], exclude: ["Snapshots"]),
    tests("TerminalTests", ["Terminal", "Screen", "ScreenCase", "Pane", "screen-demo"]),
    // A shell in a real terminal, for whoever drives the program by keys.
    .target(name: "Pane", path: "Tests/Pane", swiftSettings: strict),
    // One small case for both, and the guided session on it.
    .target(
      name: "ScreenCase", dependencies: ["Flow", "Model", "Screen"], path: "Tests/ScreenCase", swiftSettings: strict),
    .executableTarget(
      name: "screen-demo", dependencies: ["ScreenCase", "Screen", "Terminal", "Flow", "Model"],
      path: "Tests/ScreenDemo", swiftSettings: strict),

    // Every reader, on what is not as it should be.
    .target(name: "Coverage", path: "Tests/Coverage"),
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "Archive", "Checks", "Coverage", "Discovery", "Flow", "LogLines", "Markdown", "Model", "Pasted", "Pattern",
        "Reader",
        "Report", "Routes", "SQLite", "Screen", "TOML", "World", "YAML",
      ],
      path: "Tests/Fuzz", exclude: ["Seeds"], swiftSettings: strict),

    // The readers as other people's tests ask them.
    .executableTarget(
      name: "peer-reader", dependencies: ["Discovery", "Fixture", "Model", "Routes", "World"], path: "Tests/Peers",
      sources: ["Driver.swift"], swiftSettings: strict),

    // The build: Flows and Screens become string literals of `Reader`.
    .executableTarget(name: "embed-data", path: "Sources/EmbedData", swiftSettings: strict),
    .plugin(name: "EmbedData", capability: .buildTool(), dependencies: ["embed-data"]),
    // And the commit becomes one of the program.
    .plugin(name: "EmbedRevision", capability: .buildTool()),

    tests(
      "AdviceTests", ["Routes", "Checks", "Discovery", "World", "Model", "Reader", "Flow", "Fixture"],
      exclude: ["docker-stand-in.py", "samples.tsv", "Systems"]),
    tests("ArchiveTests", ["Archive"]),
    // Reads one configuration that is too much, so that its memory and its time can be measured from outside.
    .executableTarget(
      name: "bomb", dependencies: ["CProcess", "Discovery", "Model", "Routes", "World"], path: "Tests/Bomb",
      swiftSettings: strict),
    tests("BombTests", ["Routes", "bomb", "Discovery"]),
    tests(
      "ChecksTests", ["Routes", "Checks", "Discovery", "LogLines", "Fixture", "World", "Model", "Reader", "Flow"]),
    tests(
      "DataTests", ["Reader", "Checks", "Discovery", "Fixture", "Flow", "Model", "Report", "Screen", "YAML"],
      exclude: ["checklist.tsv", "everyday-words.txt", "names.txt", "statements.tsv"]),
    tests(
      "DiscoveryTests", ["Routes", "Checks", "Discovery", "Fixture", "World", "Model", "Reader", "Flow"],
      exclude: ["Engine/Podman", "Proxies/knowledge.tsv"]),
    // A small machine in a few lines.
    .target(name: "Fixture", dependencies: ["World", "Model"], path: "Tests/Fixture", swiftSettings: strict),
    tests("FirewallTests", ["Firewall", "Fixture", "World", "Model"]),
    tests("FlowTests", ["Flow", "Model"]),
    tests("FuzzTests", ["fuzz"]),
    tests(
      "Hostile", [],
      exclude: ["engine.py", "impostor.c", "planted.c", "sandbox.py", "site.py"]),
    tests(
      "PastedTests", ["Pasted", "Fixture", "Checks", "Discovery", "Routes", "World", "Model", "Reader", "Flow"],
      exclude: ["Outputs"]),
    tests("HTTPTests", ["HTTP", "World"]),
    tests(
      "Lab", ["Fixture", "Pane", "Checks", "Flow", "Machine", "Model", "Pasted", "Reader", "World"],
      resources: [.copy("Images")]),
    tests("LinesTests", ["Fixture", "LogLines", "Checks", "Flow", "Reader", "Model", "Pattern"], exclude: ["Lines"]),
    tests("MachineTests", ["Machine", "World", "Model", "SQLite", "CSQLite"]),
    tests("MarkdownTests", ["Markdown"]),
    tests("ModelTests", ["Fixture", "Model"], exclude: ["ordinary.txt", "secrets.tsv"]),
    tests("PatternTests", ["Fixture", "Pattern"]),
    tests("ProgramTests", ["wizard502", "Fixture", "Pane"]),
    tests("ReaderTests", ["Reader", "Flow", "Model"]),
    tests("ReportTests", ["Report", "Flow", "Model"]),
    // The same diagnosis of a real system, and of what was written down of it.
    tests("RoundTripTests", ["Archive", "Checks", "Flow", "Machine", "Model", "Reader", "Report", "World"]),
    tests("TOMLTests", ["TOML", "Model"]),
    tests("WorldTests", ["Fixture", "World", "Model"]),
    tests("YAMLTests", ["YAML", "Model"]),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx17
)
