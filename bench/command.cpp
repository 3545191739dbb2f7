// `moult apply` of a built update, as a whole process, until the update is applied; and what a program keeps of updates
// that were taken back.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "bench.hpp"
#include "process.hpp"
#include "runtime_folder.hpp"

namespace bench {
namespace {

/// What updates may leave.
struct Kept {
  double mappings = 0;
  double kilobytes = 0;  ///< resident
  double files = 0;      ///< copies of updates in the runtime folder
};

Kept kept_by(const Process& target, const RuntimeFolder& runtime) {
  Kept kept;
  std::ifstream mappings("/proc/" + target.id() + "/maps");
  for (std::string line; std::getline(mappings, line);) ++kept.mappings;
  std::ifstream status("/proc/" + target.id() + "/status");
  for (std::string word; status >> word;)
    if (word == "VmRSS:") status >> kept.kilobytes;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(runtime.path()))
    if (entry.path().extension() == ".so") ++kept.files;
  return kept;
}

}  // namespace

Rows measure_command(const Programs& programs) {
  const RuntimeFolder runtime;
  const Process target({programs.folder + "/target"});
  target.read_line();  // it is ready
  const std::string update = programs.folder + "/target_update.so";
  const auto apply = [&] { output_of({programs.command, "apply", target.id(), update}); };
  std::vector<double> times;
  for (int round = 0; round < 25; ++round) times.push_back(seconds_of(apply) * 1e3);
  const double time = median(times);

  constexpr int updates = 200;
  const Kept before = kept_by(target, runtime);
  for (int round = 0; round < updates; ++round) {
    apply();
    output_of({programs.command, "rollback", target.id()});
  }
  const Kept after = kept_by(target, runtime);
  const double mappings = (after.mappings - before.mappings) / updates;
  const double kilobytes = (after.kilobytes - before.kilobytes) / updates;
  const double files = (after.files - before.files) / updates;
  return {
      {"moult apply of a built update, until it is applied", time, "ms", "50 ms", time / 50, 1.0},
      {"mappings that an update leaves when it was taken back", mappings, "", "5 of a library's", mappings / 5, 1.0},
      {"memory that it leaves", kilobytes, "KB", "34 KB", kilobytes / 34, 1.0},
      {"copies of its file that it leaves", files, "", "1 an update", files, 0.1}};
}

}  // namespace bench
