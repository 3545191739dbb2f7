#include "source_comparison.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <fstream>
#include <iterator>
#include <thread>

#include "changed_headers.hpp"
#include "compiler_run.hpp"
#include "elf/symbol_table.hpp"
#include "program_sources.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;
using diff::ComparedItem;
using diff::DiffOutcome;
using diff::FileComparison;
using diff::ItemKind;

[[noreturn]] void usage(const std::string& message) {
  throw CommandFailure(ExitCode::usage, ErrorCode::not_found, message);
}

/// Written, or put there under its name, whatever time it has.
bool is_placed_since(const fs::path& mark, const fs::path& file) {
  struct stat before {};
  struct stat now {};
  if (::stat(mark.c_str(), &before) != 0 || ::stat(file.c_str(), &now) != 0) return true;
  const auto is_later = [](const timespec& a, const timespec& b) {
    return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
  };
  return is_later(now.st_ctim, before.st_ctim);
}

/// Variables have other initial values then, which is another matter.
bool is_movable(const ComparedItem& item) {
  return item.kind != ItemKind::variable &&
         (item.outcome == DiffOutcome::changed || item.outcome == DiffOutcome::unknown);
}

/// The commands of sources whose names the program's symbol table has, and its debug information does not.
std::vector<const CompileCommand*> unknown_to(const ProgramSources& sources, const std::vector<CompileCommand>& all,
                                              const std::string& program) {
  const ElfFile file = ElfFile::open(program);
  std::set<std::string_view> names;
  SymbolTable(file).visit([&](const Elf64_Sym& symbol, std::string_view name) {
    if (ELF64_ST_TYPE(symbol.st_info) == STT_FILE) names.insert(name);
    return true;
  });
  for (const std::string& each : sources.files) names.erase(std::string_view(each).substr(each.rfind('/') + 1));
  std::vector<const CompileCommand*> unknown;
  for (const CompileCommand& each : all)
    if (names.contains(base_name(each.file))) unknown.push_back(&each);
  return unknown;
}

[[noreturn]] void refuse_unknown(const CompileCommand& source, const std::string& program) {
  throw CommandFailure(ExitCode::refused, ErrorCode::unsupported,
                       source.file + ": is a part of " + program +
                           " by its symbols, but has no debug information there, so that its edits cannot be "
                           "compared; build it with -g, too");
}

}  // namespace

ProgramBuild::ProgramBuild(const ComparisonOptions& options)
    : program_(fs::weakly_canonical(options.program).string()),
      file_(options.running_file.empty() ? program_ : options.running_file) {
  ElfFile::open(file_, options.program);  // what is no program has no sources either
  const fs::path database = find_compilation_database(options.build_dir, program_, program_);
  try {
    all_ = read_compilation_database(database);
  } catch (const Error& error) {
    const bool is_denied = error.code() == ErrorCode::permission_denied;
    throw CommandFailure(is_denied ? ExitCode::refused : ExitCode::usage, error.code(), error.what());
  }
  const ProgramSources sources = sources_of_program(file_, program_);
  if (sources.files.empty())
    throw CommandFailure(
        ExitCode::refused, ErrorCode::unsupported,
        options.program + ": has no debug information, so its sources are not known; build it with -g");
  of_program_ = commands_of_program(all_, program_, sources);
  unknown_ = unknown_to(sources, all_, file_);
  if (of_program_.empty())
    usage(database.string() + ": has none of the sources of " + options.program +
          "; name the build folder of that program with --build-dir");
}

const CompileCommand* ProgramBuild::command_of(const std::string& source, const std::string& folder) const {
  const std::string wanted = resolved(source, folder);
  const auto found = std::ranges::find_if(
      of_program_, [&](const CompileCommand* each) { return resolved(each->file, each->directory) == wanted; });
  return found == of_program_.end() ? nullptr : *found;
}

std::string ProgramBuild::name_of(const CompileCommand& command) const {
  const std::string name = base_name(command.file);
  const auto count =
      std::ranges::count_if(of_program_, [&](const CompileCommand* each) { return base_name(each->file) == name; });
  return count == 1 ? name : fs::path(command.file).lexically_proximate(fs::current_path()).string();
}

const std::vector<ComparedSource>& SourceComparison::run() {
  std::ofstream{began()};  // its time is that of the beginning
  const std::vector<const CompileCommand*> commands = selected();
  if (commands.empty()) return compared_;
  file_ = std::make_unique<ElfFile>(ElfFile::open(build_.file(), options_.program));
  program_ = std::make_unique<diff::LinkedFile>(*file_);
  debug_info_ = DebugInfo::open(*file_);
  compile(commands);
  for (ComparedSource& each : compared_) read(each);
  judge_by_origin();
  return compared_;
}

/// As many at once as there are processors; in a view of a patched tree one by one, since it notes what each one reads.
/// Each has a folder of its own. When one does not compile, no other is begun.
void SourceComparison::compile(const std::vector<const CompileCommand*>& commands) {
  for (const CompileCommand* const command : commands) {
    const fs::path folder = scratch_.path() / std::to_string(compared_.size());
    fs::create_directory(folder);
    compared_.push_back({command, build_.name_of(*command), folder / "object.o"});
  }
  const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t at_once = tree_ ? 1 : std::min(processors, compared_.size());
  if (options_.compiler.parse) use_english_messages();
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> has_failed = false;
  std::vector<std::exception_ptr> failures(compared_.size());
  const auto work = [&] {
    for (std::size_t i = next++; i < compared_.size() && !has_failed; i = next++) try {
        compile_fresh_object(*compared_[i].command, compared_[i].path, recorded_, compiler(), deadline_);
      } catch (...) {
        failures[i] = std::current_exception();
        has_failed = true;
      }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < at_once; ++i) others.emplace_back(work);
    work();
  }
  for (const std::exception_ptr& each : failures)
    if (each) std::rethrow_exception(each);
}

void SourceComparison::read(ComparedSource& source) {
  source.file = std::make_unique<ElfFile>(ElfFile::open(source.path.string(), source.command->file));
  source.object = std::make_unique<diff::ObjectFile>(*source.file);
  require_no_private_path(source);
  source.comparison = diff::compare(*source.object, *program_, debug_info_.get());
  leave_moved(source);
}

void SourceComparison::leave_moved(ComparedSource& source) {
  const std::set<std::string>& moved = moved_[source.command];
  for (ComparedItem& each : source.comparison.items)
    if (is_movable(each) && moved.contains(each.symbol)) {
      each.outcome = DiffOutcome::same;
      each.reason.clear();
    }
}

/// A line is a number in the code, and all lines have the same room there.
bool SourceComparison::may_have_moved(const ComparedSource& source) {
  return std::ranges::any_of(source.comparison.items, [&](const ComparedItem& each) {
    return is_movable(each) && each.symbol_index && each.linked != nullptr &&
           source.object->symbols()[*each.symbol_index].size == each.linked->size;
  });
}

std::vector<std::string> SourceComparison::keep_moved(const ComparedSource& source, const diff::MovedLines& moved) {
  ComparedSource& found = compared_[static_cast<std::size_t>(&source - compared_.data())];
  std::vector<std::string> names;
  const fs::path object = found.path.string() + ".lines.o";
  const auto with_old_lines = [&](const std::string& text) {
    return diff::with_old_lines(text, moved,
                                [&](const std::string& name) { return resolved(name, found.command->directory); });
  };
  if (moved.empty() || !compile_changed(*found.command, with_old_lines, object, compiler(), deadline_)) return names;
  const ElfFile file = ElfFile::open(object.string(), found.command->file);
  const diff::ObjectFile in_old_lines(file);
  std::set<std::string> same;
  for (const ComparedItem& each : diff::compare(in_old_lines, *program_, debug_info_.get()).items) {
    const bool is_usable =
        each.kind != ItemKind::function || diff::has_same_instructions(*found.object, in_old_lines, each.symbol);
    if (each.outcome == DiffOutcome::same && is_usable) same.insert(each.symbol);
  }
  for (const ComparedItem& each : found.comparison.items)
    if (is_movable(each) && same.contains(each.symbol)) {
      moved_[found.command].insert(each.symbol);
      if (each.kind == ItemKind::function) names.push_back(each.name);
    }
  leave_moved(found);
  return names;
}

void SourceComparison::require_unsaved() {
  if (patch() != nullptr) return;  // what is compiled is a copy
  for (const ComparedSource& each : compared_) {
    const std::vector<std::string> files = files_of(*each.command, recorded_, scratch_.path(), compiler(), deadline_);
    for (const std::string& file : files)
      if (is_placed_since(began(), resolved(file, each.command->directory)))
        usage(file + ": was saved while the update was built; build it again");
  }
}

void SourceComparison::recompile(const ComparedSource& source, const fs::path& text) {
  ComparedSource& found = compared_[static_cast<std::size_t>(&source - compared_.data())];
  found.path.replace_extension(".with.o");
  compile_preprocessed(*found.command, text, found.path, compiler(), deadline_);
  read(found);
  judge_by_origin();
}

std::vector<const CompileCommand*> SourceComparison::selected() {
  std::vector<const CompileCommand*> selected = named();
  if (!options_.patch.empty()) return patched(std::move(selected));
  if (!selected.empty() && !options_.with_edited) return selected;
  for (const CompileCommand* const each : build_.unknown())
    if (is_edited(*each)) refuse_unknown(*each, base_name(options_.program));
  std::ranges::copy_if(build_.commands(), std::back_inserter(selected), [&](const CompileCommand* each) {
    return std::ranges::find(selected, each) == selected.end() && is_edited(*each);
  });
  return selected;
}

/// `selected`, and all sources that read a file of the patch.
std::vector<const CompileCommand*> SourceComparison::patched(std::vector<const CompileCommand*> selected) {
  std::map<const CompileCommand*, std::set<fs::path>> sources;
  std::set<fs::path> all;
  for (const CompileCommand* const each : build_.commands()) {
    const std::set<fs::path>& own = sources[each] = sources_of(*each);
    all.insert(own.begin(), own.end());
  }
  std::map<fs::path, const CompileCommand*> unknown;
  for (const CompileCommand* const each : build_.unknown())
    for (const fs::path& file : sources_of(*each)) unknown.emplace(file, each);
  for (const auto& [file, command] : unknown) all.insert(file);
  patch_.emplace(options_.patch, options_.program, all, scratch_.path() / "patch", deadline_);
  for (const auto& [file, changed] : patch_->files())
    if (unknown.contains(file)) refuse_unknown(*unknown.at(file), base_name(options_.program));
  for (const CompileCommand* const each : build_.commands()) {
    const bool is_patched =
        std::ranges::any_of(patch_->files(), [&](const auto& file) { return sources[each].contains(file.first); });
    if (is_patched && std::ranges::find(selected, each) == selected.end()) selected.push_back(each);
  }
  require_unedited(selected);
  std::set<fs::path> shown;
  for (const CompileCommand* const each : selected) shown.merge(sources[each]);
  const fs::path root = scratch_.path() / "tree";
  fs::create_directory(root);
  tree_.emplace(root, patch_->files(), shown, selected);
  return selected;
}

/// The command's source and its headers, without those of the system, links resolved.
std::set<fs::path> SourceComparison::sources_of(const CompileCommand& command) {
  std::set<fs::path> sources;
  const auto add = [&](const std::string& file) {
    if (file.starts_with("/usr/include/") || file.starts_with("/usr/lib/")) return;
    const fs::path whole = fs::path(command.directory) / file;
    const auto [found, is_new] = resolved_.try_emplace(whole);
    std::error_code error;
    if (is_new) found->second = fs::weakly_canonical(whole, error);  // ".." may follow a link: not lexically
    sources.insert(found->second);
  };
  add(command.file);
  for (const std::string& each : files_read_by(command)) add(each);
  return sources;
}

/// The update is to have what the patch changes, alone: not an edit that somebody has begun in the same sources.
void SourceComparison::require_unedited(const std::vector<const CompileCommand*>& commands) {
  ComparisonOptions options = options_;
  options.patch.clear();
  options.sources.clear();
  options.with_edited = false;
  for (const CompileCommand* const each : commands)
    if (is_edited(*each)) options.sources.push_back(each->file);
  if (options.sources.empty()) return;
  SourceComparison without_patch(build_, options, deadline_);
  for (const ComparedSource& source : without_patch.run())
    for (const ComparedItem& item : source.comparison.items)
      if (item.outcome != DiffOutcome::same && item.outcome != DiffOutcome::dropped)
        throw CommandFailure(ExitCode::refused, ErrorCode::unsupported,
                             source.shown + ": " + item.name + " differs from the program's without the patch, too; " +
                                 "take that edit out of the sources, or apply the patch to them and leave out --patch");
}

/// Names of files in code must be those of the tree.
void SourceComparison::require_no_private_path(const ComparedSource& source) const {
  if (!tree_) return;
  for (const diff::ObjectSection& each : source.object->sections()) {
    const std::string_view bytes(reinterpret_cast<const char*>(each.bytes.data()), each.bytes.size());
    if (each.is_loaded() && bytes.find(tree_->root().native()) != std::string_view::npos)
      throw CommandFailure(ExitCode::refused, ErrorCode::unsupported,
                           source.shown +
                               ": the compiler puts the place of moult's private copy into its code (as "
                               "clang does for a lambda in __PRETTY_FUNCTION__); apply the patch to the tree, "
                               "and leave out --patch");
  }
}

std::vector<const CompileCommand*> SourceComparison::named() const {
  std::vector<const CompileCommand*> named;
  for (const std::string& source : options_.sources) {
    const CompileCommand* const command = build_.command_of(source, fs::current_path().string());
    if (command == nullptr)
      usage(source + ": is no source of " + options_.program +
            " by its debug information and compile_commands.json; name one that the program is built from");
    named.push_back(command);
  }
  return named;
}

bool SourceComparison::is_edited(const CompileCommand& command) {
  const auto is_newer = [&](const std::vector<std::string>& files) {
    return !changed_since(build_.file(), files, command.directory).empty();
  };
  const auto [found, is_new] = edited_.try_emplace(&command);
  if (is_new) found->second = is_newer({command.file}) || is_newer(files_read_by(command));
  return found->second;
}

std::optional<EditedTree> SourceComparison::edited_tree() {
  std::set<std::string> edited;
  for (const CompileCommand* const command : build_.commands()) {
    if (!is_edited(*command)) continue;
    std::vector<std::string> files = files_read_by(*command);
    files.push_back(command->file);
    for (const std::string& each : changed_since(build_.file(), files, command->directory))
      edited.insert(resolved(each, command->directory));
  }
  EditedTree tree{0, edited.size()};
  for (const std::string& each : edited) {
    struct stat status {};
    if (::stat(each.c_str(), &status) == 0 && status.st_mtim.tv_sec > 0)
      tree.time = std::max(tree.time, static_cast<std::uint64_t>(status.st_mtim.tv_sec));
  }
  return edited.empty() ? std::nullopt : std::optional(tree);
}

/// The source and its headers, as the build or the compiler names them.
const std::vector<std::string>& SourceComparison::files_read_by(const CompileCommand& command) {
  const auto [found, is_new] = files_.try_emplace(&command);
  if (is_new) found->second = files_of(command, recorded_, scratch_.path(), options_.compiler, deadline_);
  return found->second;
}

/// A shared function that differs from the program's copy, which came from another source, has changed only if it has
/// in that source.
void SourceComparison::judge_by_origin() {
  for (ComparedSource& source : compared_)
    for (ComparedItem& each : source.comparison.items)
      if (each.outcome == DiffOutcome::unknown && is_judged_by_origin(each, source)) {
        each.outcome = DiffOutcome::same;
        each.reason.clear();
      }
}

/// True when the source of the program's copy is compared, too, with the function in it, or was not edited.
bool SourceComparison::is_judged_by_origin(const ComparedItem& function, const ComparedSource& in) {
  if (function.origin.empty()) return false;
  const CompileCommand* const origin = build_.command_of(function.origin, in.command->directory);
  if (origin == nullptr || origin == in.command) return false;
  const auto other = std::ranges::find(compared_, origin, &ComparedSource::command);
  if (other == compared_.end()) return !is_edited(*origin);
  return std::ranges::find(other->comparison.items, function.symbol, &ComparedItem::symbol) !=
         other->comparison.items.end();
}

/// An edit may well change most functions of a source. A source that was not edited shows whether the flags are right.
void SourceComparison::require_same_build(const std::set<const ComparedSource*>& excused) {
  const auto other = std::ranges::find_if(compared_, [&](const ComparedSource& each) {
    return each.comparison.is_of_other_build() && !excused.contains(&each);
  });
  if (other == compared_.end()) return;
  for (const CompileCommand* const each : build_.commands()) {
    if (std::ranges::find(compared_, each, &ComparedSource::command) != compared_.end() || is_edited(*each)) continue;
    const FileComparison control = compare_alone(*each);
    const std::size_t same = control.count(ItemKind::function, DiffOutcome::same);
    const std::size_t changed = control.count(ItemKind::function, DiffOutcome::changed);
    if (changed > same) throw_other_build(*each, control);
    if (same > 0) return;
  }
  throw_other_build(*other->command, other->comparison);
}

FileComparison SourceComparison::compare_alone(const CompileCommand& command) {
  const fs::path path = scratch_.path() / "control.o";
  compile_fresh_object(command, path, recorded_, options_.compiler, deadline_);
  const ElfFile file = ElfFile::open(path.string(), command.file);
  return diff::compare(diff::ObjectFile(file), *program_, debug_info_.get());
}

void SourceComparison::throw_other_build(const CompileCommand& command, const FileComparison& comparison) const {
  const auto functions = [&](DiffOutcome outcome) { return comparison.count(ItemKind::function, outcome); };
  const std::size_t different = functions(DiffOutcome::changed) + functions(DiffOutcome::unknown);
  throw CommandFailure(ExitCode::refused, ErrorCode::build_id_mismatch,
                       command.file + ": " + std::to_string(different) + " of " +
                           count_text(different + functions(DiffOutcome::same), "function") + " differ from those in " +
                           options_.program +
                           ": the flags, the compiler or the sources are probably not those of the program; build it "
                           "again, or name its build folder with --build-dir");
}

}  // namespace moult::internal::cli
