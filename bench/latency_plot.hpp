// A plot of latencies over time, as SVG.
#pragma once

#include <string>
#include <vector>

namespace bench {

struct Latency {
  double due = 0;  ///< seconds since the plot's event
  double milliseconds = 0;
};

/// A panel; panels lie below one another and share their axes.
struct Panel {
  std::string title;
  std::string color;
  std::vector<Latency> latencies;
};

struct LatencyPlot {
  std::string title;
  std::vector<Panel> panels;
  double begin = 0;  ///< of the axis of time, in whole seconds
  double end = 0;
  std::string mark;            ///< what happened at 0
  double usual_worst = 0;      ///< milliseconds: a line in each panel
  std::string usual_worst_is;  ///< what that line is
  std::vector<std::string> caption;
};

/// Plots, in each panel and for each slice of time, the slowest request and the median.
std::string svg_of(const LatencyPlot& plot);

}  // namespace bench
