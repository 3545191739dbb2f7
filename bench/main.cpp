// moult_bench RESULTS.json [SECTION...]: measures the named sections, or all, prints a table, and writes the rows as
// JSON. Exits with 0 whatever the figures: the reader judges them. 1: a measurement failed.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench.hpp"

namespace {

/// "12.3 us"
std::string with_unit(const bench::Row& row) {
  char text[64];
  std::snprintf(text, sizeof text, row.value < 10 ? "%.2f %s" : "%.1f %s", row.value, row.unit.c_str());
  return text;
}

void print_heading() {
  std::printf("Medians. The ratio falls short where it is above its limit.\n\n%-60s %12s %6s %6s  %-12s %s\n", "",
              "measured", "ratio", "limit", "", "against");
}

void print(const bench::Row& row) {
  std::printf("%-60s %12s %6.2f %6.2f  %-12s %s\n", row.name.c_str(), with_unit(row).c_str(), row.ratio, row.limit,
              row.ratio > row.limit ? "FALLS SHORT" : "", row.reference.c_str());
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
  bench::Programs programs{MOULT_BENCH_FOLDER, MOULT_COMMAND, MOULT_KEY_VALUE_FOLDER, "."};
  if (argc > 1) programs.results_folder = std::filesystem::absolute(argv[1]).parent_path();
  const std::vector<std::pair<std::string_view, std::function<bench::Rows()>>> sections = {
      {"linked", [&] { return bench::measure_linked(programs); }},
      {"calls", [&] { return bench::measure_calls(programs); }},
      {"pause", bench::measure_pause},
      {"many_functions", bench::measure_many_functions},
      {"pools", bench::measure_pools},
      {"conversion", bench::measure_conversion},
      {"lazy", bench::measure_lazy},
      {"static_points", bench::measure_static_points},
      {"return_barrier", bench::measure_return_barrier},
      {"gate", bench::measure_gate},
      {"lookup", bench::measure_lookup},
      {"command", [&] { return bench::measure_command(programs); }},
      {"key_value_server", [&] { return bench::measure_key_value_server(programs); }}};
  std::vector<std::string_view> wanted(argv + std::min(argc, 2), argv + argc);
  auto is_section = [&](std::string_view word) {
    return std::any_of(sections.begin(), sections.end(), [word](const auto& section) { return section.first == word; });
  };
  if (argc < 2 || !std::all_of(wanted.begin(), wanted.end(), is_section)) {
    std::fprintf(stderr, "usage: moult_bench RESULTS.json [SECTION...]; sections:");
    for (const auto& [name, measure] : sections) std::fprintf(stderr, " %s", std::string(name).c_str());
    std::fprintf(stderr, "\n");
    return 2;
  }
  try {
    bench::Rows rows;
    print_heading();
    for (const auto& [name, measure] : sections) {
      if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
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
