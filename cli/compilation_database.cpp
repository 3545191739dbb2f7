#include "compilation_database.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <span>

#include "base/trusted_file.hpp"
#include "failure.hpp"
#include "moult/error.hpp"
#include "target.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* file_name = "compile_commands.json";

std::string absolute(const std::string& path, const std::string& directory) {
  return fs::path(path).is_absolute() ? fs::path(path).lexically_normal().string()
                                      : (fs::path(directory) / path).lexically_normal().string();
}

CompileCommand command_of(const json& entry) {
  CompileCommand command;
  command.directory = entry.at("directory").get<std::string>();
  command.file = absolute(entry.at("file").get<std::string>(), command.directory);
  command.output = entry.value("output", "");
  if (entry.contains("arguments"))
    command.arguments = entry.at("arguments").get<std::vector<std::string>>();
  else
    command.arguments = split_command(entry.at("command").get<std::string>());
  return command;
}

/// The file in `start` or the nearest folder above it.
std::optional<fs::path> find_upwards(const fs::path& start) {
  std::error_code ignored;
  for (fs::path folder = fs::absolute(start, ignored); !folder.empty(); folder = folder.parent_path()) {
    if (fs::is_regular_file(folder / file_name, ignored)) return folder / file_name;
    if (folder == folder.parent_path()) break;
  }
  return std::nullopt;
}

/// The length of `-include-pch FILE`, or of what CMake writes for clang: `-Xclang -include-pch -Xclang FILE`. Such a
/// file fits one set of flags, and an update's differ: it is position-independent. CMake includes the header itself
/// too.
std::size_t precompiled_header_length(std::span<const std::string> arguments) {
  constexpr std::string_view option = "-include-pch";
  if (arguments.front() == option) return 2;
  return arguments.size() > 1 && arguments[0] == "-Xclang" && arguments[1] == option ? 4 : 0;
}

/// CMake puts the objects of target T into CMakeFiles/T.dir.
bool is_compiled_for(const CompileCommand& command, const std::string& program) {
  const std::string folder = "/" + base_name(program) + ".dir/";
  const auto names_it = [&](const std::string& text) { return ("/" + text).find(folder) != std::string::npos; };
  return names_it(command.output) || std::ranges::any_of(command.arguments, names_it);
}

/// A relative name counts when the program lies in the folder of that compilation.
bool is_among(const std::set<std::string>& files, const CompileCommand& command, const std::string& program) {
  if (files.contains(resolved(command.file, command.directory))) return true;
  const std::string folder = command.directory + "/";
  return program.starts_with(folder) && files.contains(fs::path(command.file).lexically_relative(folder).string());
}

/// What follows the option; empty if the command has none.
std::string value_of(const CompileCommand& command, std::string_view option) {
  const auto found = std::ranges::find(command.arguments, option);
  const bool has_value = found != command.arguments.end() && std::next(found) != command.arguments.end();
  return has_value ? *std::next(found) : std::string();
}

/// How much speaks for the command being the one that compiled for the program.
int points_of(const CompileCommand& command, const std::string& program, const ProgramSources& sources) {
  const bool is_same_folder = sources.folders.contains(resolved(command.directory, "/"));
  return 1 + (is_compiled_for(command, program) ? 2 : 0) + (is_same_folder ? 1 : 0);
}

/// True for a compiler launcher such as ccache, whose first argument is the compiler.
bool is_launcher(const std::string& name) {
  constexpr std::array<std::string_view, 4> launchers{"ccache", "sccache", "distcc", "icecc"};
  return std::ranges::find(launchers, base_name(name)) != launchers.end();
}

constexpr std::array<std::string_view, 15> kept_with_value{
    "-I",        "-D",        "-U",      "-isystem", "-iquote",        "-idirafter", "-include", "-imacros",
    "-isysroot", "--sysroot", "--param", "-Xclang",  "-Xpreprocessor", "-target",    "-mllvm"};
constexpr std::array<std::string_view, 6> dropped_with_value{"-o", "-MF", "-MT", "-MQ", "-MJ", "-x"};

bool starts_with_any(std::string_view argument, std::initializer_list<std::string_view> prefixes) {
  return std::ranges::any_of(prefixes, [&](std::string_view prefix) { return argument.starts_with(prefix); });
}

bool is_dropped(std::string_view argument) {
  if (!argument.starts_with('-') && !argument.starts_with('@')) return true;  // the input
  if (starts_with_any(argument, {"-Wp,", "-Wa,"})) return false;
  return starts_with_any(argument, {"-W",        "-M",           "-flto",    "-fno-lto",  "-fuse-linker-plugin",
                                    "-ffat-lto", "-fno-fat-lto", "-fPIE",    "-fpie",     "-fPIC",
                                    "-fpic",     "-fno-pic",     "-fno-PIC", "-fno-pie",  "-fno-PIE",
                                    "-pie",      "-no-pie",      "-static",  "-pedantic", "-o"}) ||
         argument == "-c" || argument == "-S" || argument == "-E" || argument == "-w" || argument == "-shared" ||
         // These resolve uses within the update that the loader is to bind.
         argument == "-fno-plt" || argument == "-fno-semantic-interposition";
}

}  // namespace

std::vector<std::string> split_command(std::string_view command) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t each = 0; each < command.size(); ++each) {
    const char sign = command[each];
    const bool escapes = sign == '\\' && quote != '\'' && each + 1 < command.size();
    if (escapes) {
      word += command[++each];
      in_word = true;
    } else if (quote != 0 ? sign == quote : (sign == '"' || sign == '\'')) {
      quote = quote != 0 ? char{0} : sign;
      in_word = true;
    } else if (quote == 0 && (sign == ' ' || sign == '\t' || sign == '\n')) {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
    } else {
      word += sign;
      in_word = true;
    }
  }
  if (in_word) words.push_back(word);
  return words;
}

std::vector<CompileCommand> parse_compilation_database(std::istream& text, const std::string& name) {
  std::vector<CompileCommand> commands;
  try {
    for (const json& entry : json::parse(text)) commands.push_back(command_of(entry));
  } catch (const json::exception& error) {
    throw Error(ErrorCode::unreadable, name + ": is no compilation database: " + error.what());
  }
  return commands;
}

std::vector<CompileCommand> read_compilation_database(const fs::path& file) {
  // The file names a compiler that will run as this user. Read it by the same descriptor that was checked.
  const Fd opened = open_trusted(file.string(), "a compilation database");
  std::ifstream stream("/proc/self/fd/" + std::to_string(opened.get()));
  return parse_compilation_database(stream, file.string());
}

fs::path find_compilation_database(const std::string& wanted, const std::string& program, const std::string& update) {
  std::error_code ignored;
  if (!wanted.empty()) {
    fs::path path = fs::is_directory(wanted, ignored) ? fs::path(wanted) / file_name : fs::path(wanted);
    if (fs::is_regular_file(path, ignored)) return path;
    throw CommandFailure(ExitCode::usage, ErrorCode::not_found,
                         path.string() + ": there is no such file (--build-dir)");
  }
  for (const std::string& start : {program, update})
    if (const std::optional<fs::path> found = find_upwards(fs::absolute(start, ignored).parent_path())) return *found;
  throw CommandFailure(
      ExitCode::usage, ErrorCode::not_found,
      "no compile_commands.json above " + program + (update != program ? " or " + update : std::string()) +
          "; make one (cmake -DCMAKE_EXPORT_COMPILE_COMMANDS=ON) and name its folder with --build-dir");
}

const CompileCommand* choose_command(const std::vector<CompileCommand>& commands, const std::string& program,
                                     const ProgramSources& sources) {
  const CompileCommand* best = nullptr;
  int best_points = 0;
  for (const CompileCommand& command : commands) {
    if (!sources.files.empty() && !is_among(sources.files, command, program)) continue;
    const bool has_main = is_among(sources.main, command, program);
    const bool is_of_program = is_compiled_for(command, program);
    // A source other than the main file may belong to several programs.
    if (!has_main && !is_of_program && (sources.files.empty() || !sources.main.empty())) continue;
    const int points = (has_main ? 4 : 0) + points_of(command, program, sources);
    if (points <= best_points) continue;
    best = &command;
    best_points = points;
  }
  return best;
}

std::vector<const CompileCommand*> commands_of_program(const std::vector<CompileCommand>& commands,
                                                       const std::string& program, const ProgramSources& sources) {
  std::vector<const CompileCommand*> chosen;
  std::map<std::string, std::size_t> positions;  // by source
  for (const CompileCommand& command : commands) {
    if (!is_among(sources.files, command, program)) continue;
    const auto [found, is_new] = positions.try_emplace(resolved(command.file, command.directory), chosen.size());
    if (is_new) {
      chosen.push_back(&command);
    } else if (const CompileCommand*& other = chosen[found->second];
               points_of(command, program, sources) > points_of(*other, program, sources)) {
      other = &command;
    }
  }
  return chosen;
}

CompilerCall flags_for_update(const CompileCommand& command) {
  CompilerCall call;
  std::size_t next = 0;
  const std::vector<std::string>& arguments = command.arguments;
  while (next + 1 < arguments.size() && is_launcher(arguments[next])) ++next;
  if (next < arguments.size()) call.compiler = arguments[next++];
  for (; next < arguments.size(); ++next) {
    const std::string& argument = arguments[next];
    if (const std::size_t length = precompiled_header_length(std::span(arguments).subspan(next))) {
      next += length - 1;
    } else if (std::ranges::find(dropped_with_value, argument) != dropped_with_value.end()) {
      ++next;
    } else if (std::ranges::find(kept_with_value, argument) != kept_with_value.end()) {
      call.flags.push_back(argument);
      if (next + 1 < arguments.size()) call.flags.push_back(arguments[++next]);
    } else if (!is_dropped(argument)) {
      call.flags.push_back(argument);
    }
  }
  return call;
}

std::vector<std::string> arguments_for_object(const CompileCommand& command) {
  constexpr std::array<std::string_view, 5> results_with_value{"-o", "-MF", "-MT", "-MQ", "-MJ"};
  constexpr std::array<std::string_view, 6> results{"-M", "-MM", "-MD", "-MMD", "-MP", "-c"};
  std::vector<std::string> kept;
  const std::vector<std::string>& arguments = command.arguments;
  for (std::size_t each = 0; each < arguments.size(); ++each) {
    if (std::ranges::find(results_with_value, arguments[each]) != results_with_value.end())
      ++each;
    else if (std::ranges::find(results, arguments[each]) == results.end())
      kept.push_back(arguments[each]);
  }
  return kept;
}

fs::path precompiled_header_of(const CompileCommand& command) {
  std::error_code ignored;
  const std::vector<std::string>& arguments = command.arguments;
  for (std::size_t each = 0; each + 1 < arguments.size(); ++each) {
    const bool is_of_clang = precompiled_header_length(std::span(arguments).subspan(each)) > 0;
    if (!is_of_clang && arguments[each] != "-include") continue;
    const std::size_t at = is_of_clang && arguments[each] == "-Xclang" ? each + 3 : each + 1;
    if (at >= arguments.size()) break;
    fs::path file = absolute(arguments[at], command.directory) + (is_of_clang ? "" : ".gch");
    if (fs::exists(file, ignored)) return file;
  }
  return {};
}

std::vector<std::string> without_precompiled_header(const std::vector<std::string>& arguments,
                                                    const CompileCommand& command, const fs::path& folder) {
  std::vector<std::string> kept;
  std::error_code ignored;
  for (std::size_t each = 0; each < arguments.size(); ++each) {
    if (const std::size_t length = precompiled_header_length(std::span(arguments).subspan(each))) {
      each += length - 1;
      continue;
    }
    kept.push_back(arguments[each]);
    if (arguments[each] != "-include" || each + 1 == arguments.size()) continue;
    const fs::path header = absolute(arguments[++each], command.directory);
    kept.push_back(arguments[each]);
    if (!fs::exists(header.string() + ".gch", ignored)) continue;
    // g++ takes what lies beside the header; nothing lies beside a copy.
    const fs::path copy = folder / header.filename();
    fs::copy_file(header, copy, fs::copy_options::overwrite_existing, ignored);
    kept.back() = copy.string();
  }
  return kept;
}

std::string named_dependency_file(const CompileCommand& command) { return value_of(command, "-MF"); }

std::string object_of(const CompileCommand& command) {
  return command.output.empty() ? value_of(command, "-o") : command.output;
}

bool is_for_link_time_optimisation(const CompileCommand& command) {
  bool is_on = false;
  for (const std::string& argument : command.arguments) {
    if (argument.starts_with("-flto")) is_on = true;
    if (argument == "-fno-lto") is_on = false;
  }
  return is_on;
}

}  // namespace moult::internal::cli
