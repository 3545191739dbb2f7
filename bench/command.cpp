// `moult apply` of a built update, as a whole process, until the update is applied.
#include "bench.hpp"
#include "process.hpp"
#include "runtime_folder.hpp"

namespace bench {

Rows measure_command(const Programs& programs) {
  const RuntimeFolder runtime;
  const Process target({programs.folder + "/target"});
  target.read_line();  // it is ready
  const std::string update = programs.folder + "/target_update.so";
  std::vector<double> times;
  for (int round = 0; round < 25; ++round)
    times.push_back(seconds_of([&] { output_of({programs.command, "apply", target.id(), update}); }) * 1e3);
  const double time = median(times);
  return {{"moult apply of a built update, until it is applied", time, "ms", "50 ms", time / 50, 1.0}};
}

}  // namespace bench
