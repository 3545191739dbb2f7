#include "symbols/class_graph.hpp"

#include <algorithm>
#include <iterator>

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

std::vector<bool> ClassGraph::holders_of(std::size_t wanted) const {
  ClassGraph values;
  values.count_ = count_;
  std::copy_if(edges_.begin(), edges_.end(), std::back_inserter(values.edges_),
               [](const Edge& each) { return !each.by_pointer; });
  const std::vector<Reach> reach = values.reach_of(wanted);
  std::vector<bool> holders(count_);
  std::transform(reach.begin(), reach.end(), holders.begin(), [](Reach each) { return each != Reach::none; });
  return holders;
}

}  // namespace moult::internal
