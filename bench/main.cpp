// moult_bench RESULTS.json: measures everything, prints a table, writes the rows as JSON.
// Exits with 0 whatever the figures are: they are reported, and judged by the reader. 1: something did not work.
#include <cstdio>
#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bench.hpp"

namespace {

void print(const bench::Row& row) {
  std::printf("%-52s %10.3f %-4s %7.2f  (limit %.2f)%s  against %s\n", row.name.c_str(), row.value, row.unit.c_str(),
              row.ratio, row.limit, row.ratio > row.limit ? "  FALLS SHORT" : "", row.reference.c_str());
  std::fflush(stdout);
}

void write(const bench::Rows& rows, const char* path) {
  nlohmann::json list = nlohmann::json::array();
  for (const bench::Row& row : rows)
    list.push_back({{"name", row.name},
                    {"value", row.value},
                    {"unit", row.unit},
                    {"reference", row.reference},
                    {"ratio", row.ratio},
                    {"limit", row.limit}});
  std::ofstream(path) << list.dump(2) << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: moult_bench RESULTS.json\n");
    return 2;
  }
  try {
    bench::Programs programs{MOULT_BENCH_FOLDER, MOULT_COMMAND};
    bench::Rows rows;
    for (const std::function<bench::Rows()>& measure : std::vector<std::function<bench::Rows()>>{
             [&] { return bench::measure_linked(programs); }, [&] { return bench::measure_calls(programs); },
             bench::measure_pause, bench::measure_many_functions, [&] { return bench::measure_command(programs); }}) {
      for (bench::Row& row : measure()) {
        print(row);
        rows.push_back(std::move(row));
      }
    }
    write(rows, argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "moult_bench: %s\n", error.what());
    return 1;
  }
}
