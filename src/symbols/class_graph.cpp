#include "symbols/class_graph.hpp"

#include <algorithm>

namespace moult::internal {

std::vector<Reach> ClassGraph::reach_of(std::size_t wanted) const {
  std::vector<Edge> edges = edges_;
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.to < b.to; });
  std::vector<Reach> reach(count_, Reach::none);
  std::vector<std::size_t> pending{wanted};
  while (!pending.empty()) {
    const std::size_t reached = pending.back();
    pending.pop_back();
    auto edge = std::lower_bound(edges.begin(), edges.end(), reached,
                                 [](const Edge& one, std::size_t to) { return one.to < to; });
    for (; edge != edges.end() && edge->to == reached; ++edge) {
      const Reach direct = edge->by_pointer ? Reach::layout : Reach::size;
      const Reach by_this = reached == wanted ? direct : reach[reached];
      if (edge->from == wanted || reach[edge->from] >= by_this) continue;
      reach[edge->from] = by_this;
      pending.push_back(edge->from);
    }
  }
  return reach;
}

}  // namespace moult::internal
