import Foundation
import PackagePlugin

/// Writes the commit that is built, and its day, into the program; nil where there is no git.
///
/// `SOURCE_DATE_EPOCH` sets another day. What is not committed is not told.
@main struct EmbedRevision: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let output = context.pluginWorkDirectoryURL.appending(path: "Revision.swift")
    let repository = context.package.directoryURL.appending(path: ".git")
    // Written with every commit and every checkout.
    let log = repository.appending(path: "logs/HEAD")
    let script = """
      unset GIT_DIR GIT_WORK_TREE
      commit=$(git --git-dir="$0" -c log.showSignature=false log -1 --format='%H %ct' 2>/dev/null) || commit=
      value=nil
      if [ -n "$commit" ]; then
        day=$(date -u -d "@${SOURCE_DATE_EPOCH:-${commit#* }}" +%Y-%m-%d)
        value="(\\"$(printf %.10s "$commit")\\", \\"$day\\")"
      fi
      printf '%s\\n' '/// The commit of this build and its day.' \\
        "let revision: (id: String, date: String)? = $value" > "$1"
      """
    return [
      .buildCommand(
        displayName: "Embedding the revision", executable: URL(filePath: "/bin/sh"),
        arguments: ["-c", script, repository.path(percentEncoded: false), output.path(percentEncoded: false)],
        inputFiles: FileManager.default.fileExists(atPath: log.path(percentEncoded: false)) ? [log] : [],
        outputFiles: [output])
    ]
  }
}
