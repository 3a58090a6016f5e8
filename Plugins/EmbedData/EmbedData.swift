import PackagePlugin
import Foundation

/// Writes Flows and Screens as string literals, the recordings among them in base64, into the module that links to them.
@main struct EmbedData: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    guard let module = target.sourceModule else { return [] }
    let files = ["yaml", "md", "sh", "po", "xz"].flatMap { module.sourceFiles(withSuffix: $0).map(\.url) }
    let output = context.pluginWorkDirectoryURL.appending(path: "Files.swift")
    return [
      .buildCommand(
        displayName: "Embedding \(files.count) data files", executable: try context.tool(named: "embed-data").url,
        arguments: [output, target.directoryURL].map { $0.path(percentEncoded: false) }
          + files.map { $0.path(percentEncoded: false) }.sorted(),
        inputFiles: files, outputFiles: [output])
    ]
  }
}
