// A program linked with moult, its listener running, against the same program without: speed and memory.
#include <cstdlib>

#include "bench.hpp"
#include "process.hpp"

namespace bench {

Rows measure_linked(const Programs& programs) {
  Rows rows;
  std::string plain = programs.folder + "/workload_plain";
  std::string linked = programs.folder + "/workload_linked";
  for (std::string loop : {"calls", "allocations"}) {
    Pair pair = interleave(
        15,
        [&] {
          return std::atof(output_of({linked, loop}).c_str());
        },
        [&] {
          return std::atof(output_of({plain, loop}).c_str());
        });
    rows.push_back({"moult linked and listening, loop of " + loop, pair.measured, "ns",
                    "the same without, " + std::to_string(pair.reference) + " ns", pair.measured / pair.reference,
                    1.02});
  }
  Pair memory = interleave(
      5,
      [&] {
        return std::atof(output_of({linked, "idle"}).c_str()) / 1024;
      },
      [&] {
        return std::atof(output_of({plain, "idle"}).c_str()) / 1024;
      });
  double runtime = memory.measured - memory.reference;
  rows.push_back({"resident memory of the idle runtime", runtime, "MiB",
                  "8 MiB (the whole program: " + std::to_string(memory.measured) + " MiB)", runtime / 8, 1.0});
  return rows;
}

}  // namespace bench
