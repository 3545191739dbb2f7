#include "latency_plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <sstream>

namespace bench {
namespace {

constexpr double portion = 0.01;  // seconds
constexpr double width = 900;
constexpr double left = 78;
constexpr double right = 16;
constexpr double top = 82;
constexpr double panel_height = 150;
constexpr double panel_gap = 34;
constexpr double line_height = 17;
constexpr double least = 0.03;  // milliseconds
constexpr double most = 10'000;

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char letter : text) {
    if (letter == '&')
      safe += "&amp;";
    else if (letter == '<')
      safe += "&lt;";
    else
      safe += letter;
  }
  return safe;
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

/// Writes shapes; coordinates are in the plot's own units.
class Drawing final {
 public:
  explicit Drawing(const LatencyPlot& plot) : plot_(plot) {}

  std::string draw() {
    const double height = panel_top(plot_.panels.size()) + 24 + line_height * static_cast<double>(plot_.caption.size());
    out_ << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << width << ' ' << height << "\" width=\""
         << width << "\" height=\"" << height << "\" font-family=\"sans-serif\" font-size=\"12\">\n"
         << "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
    text(left, 24, plot_.title, "font-size=\"16\" font-weight=\"bold\"");
    legend();
    for (std::size_t i = 0; i < plot_.panels.size(); ++i) panel(plot_.panels[i], panel_top(i));
    time_axis(panel_top(plot_.panels.size()) - panel_gap);
    caption(panel_top(plot_.panels.size()) + 22);
    out_ << "</svg>\n";
    return out_.str();
  }

 private:
  static double panel_top(std::size_t index) { return top + static_cast<double>(index) * (panel_height + panel_gap); }
  double x(double seconds) const {
    return left + (seconds - plot_.begin) / (plot_.end - plot_.begin) * (width - left - right);
  }
  static double y(double milliseconds, double panel) {
    const double part = std::log(std::clamp(milliseconds, least, most) / least) / std::log(most / least);
    return panel + panel_height * (1 - part);
  }

  void text(double at_x, double at_y, const std::string& words, const char* style = "") {
    out_ << "<text x=\"" << number(at_x) << "\" y=\"" << number(at_y) << "\" " << style << '>' << escaped(words)
         << "</text>\n";
  }
  void line(double x1, double y1, double x2, double y2, const char* style) {
    out_ << "<line x1=\"" << number(x1) << "\" y1=\"" << number(y1) << "\" x2=\"" << number(x2) << "\" y2=\""
         << number(y2) << "\" " << style << "/>\n";
  }

  void legend() {
    constexpr double at = 46;
    line(left, at - 4, left + 24, at - 4, "stroke=\"#333333\" stroke-width=\"1.6\"");
    text(left + 30, at, "slowest request in 10 ms");
    line(left + 200, at - 4, left + 224, at - 4, "stroke=\"#333333\" stroke-opacity=\"0.4\" stroke-width=\"1.6\"");
    text(left + 230, at, "median");
    line(left + 300, at - 4, left + 324, at - 4, "stroke=\"#777777\" stroke-dasharray=\"5 4\"");
    text(left + 330, at, plot_.usual_worst_is + ": " + number(std::round(plot_.usual_worst)) + " ms");
  }

  void panel(const Panel& panel, double at) {
    for (double tick = 0.1; tick < most * 1.1; tick *= 10) {
      line(left, y(tick, at), width - right, y(tick, at), "stroke=\"#e4e4e4\"");
      const std::string label = tick < 999 ? number(tick) + " ms" : number(tick / 1000) + " s";
      text(left - 8, y(tick, at) + 4, label, "text-anchor=\"end\" fill=\"#444444\"");
    }
    line(x(0), at, x(0), at + panel_height, "stroke=\"#777777\"");
    line(left, y(plot_.usual_worst, at), width - right, y(plot_.usual_worst, at),
         "stroke=\"#777777\" stroke-dasharray=\"5 4\"");
    curves(panel, at);
    out_ << "<rect x=\"" << left << "\" y=\"" << number(at) << "\" width=\"" << width - left - right << "\" height=\""
         << panel_height << "\" fill=\"none\" stroke=\"#999999\"/>\n";
    text(left, at - 7, panel.title, "font-weight=\"bold\"");
    out_ << "<text transform=\"translate(16 " << number(at + panel_height / 2)
         << ") rotate(-90)\" text-anchor=\"middle\" fill=\"#444444\">latency</text>\n";
  }

  void curves(const Panel& panel, double at) {
    std::map<long, std::vector<double>> portions;
    for (const Latency& latency : panel.latencies)
      if (latency.due >= plot_.begin && latency.due < plot_.end)
        portions[std::lround(std::floor(latency.due / portion))].push_back(latency.milliseconds);
    std::ostringstream medians;
    std::ostringstream slowest;
    for (auto& [index, latencies] : portions) {
      std::sort(latencies.begin(), latencies.end());
      const std::string at_x = number(x((static_cast<double>(index) + 0.5) * portion));
      medians << at_x << ',' << number(y(latencies[latencies.size() / 2], at)) << ' ';
      slowest << at_x << ',' << number(y(latencies.back(), at)) << ' ';
    }
    const std::string begin = "<polyline fill=\"none\" stroke=\"" + panel.color + "\" stroke-width=\"1.3\" ";
    out_ << begin << "stroke-opacity=\"0.4\" points=\"" << medians.str() << "\"/>\n"
         << begin << "points=\"" << slowest.str() << "\"/>\n";
  }

  void time_axis(double at) {
    for (double second = plot_.begin; second <= plot_.end; ++second) {
      line(x(second), at, x(second), at + 5, "stroke=\"#999999\"");
      text(x(second), at + 18, number(second) + " s", "text-anchor=\"middle\" fill=\"#444444\"");
    }
    text((left + width - right) / 2, at + 34, "time since " + plot_.mark, "text-anchor=\"middle\" fill=\"#444444\"");
  }

  void caption(double at) {
    for (const std::string& words : plot_.caption) {
      text(left, at, words, "fill=\"#444444\"");
      at += line_height;
    }
  }

  const LatencyPlot& plot_;
  std::ostringstream out_;
};

}  // namespace

std::string svg_of(const LatencyPlot& plot) { return Drawing(plot).draw(); }

}  // namespace bench
