// Containers as they lie in memory, and what is left of their order when a thread was stopped in the middle of a
// change.
#include "heap/container_memory.hpp"

#include <gmock/gmock.h>

#include <array>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "threads/stopped_world.hpp"

namespace moult::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr ElementShape of_longs{sizeof(long), alignof(long)};

std::uintptr_t address_of(const void* place) { return reinterpret_cast<std::uintptr_t>(place); }
long long_at(std::uintptr_t address) { return ReadableMemory::get<long>(address); }

class ContainerMemory : public testing::Test {
 protected:
  /// The elements of the container at `place`; nothing when its parts disagree.
  std::optional<std::vector<long>> elements(const HeapType& type, const void* place) {
    const std::unique_ptr<StoppedWorld> stopped =
        StoppedWorld::stop({.timeout = std::chrono::seconds(60), .keep_out = {}});
    ReadableMemory memory(*stopped);
    std::vector<long> found;
    std::vector<ElementRun> runs;
    std::vector<std::uintptr_t> nodes;
    const bool has_runs = type.shape == Shape::range || type.shape == Shape::deque || type.shape == Shape::optional;
    if (has_runs ? !read_runs(memory, type, of_longs, address_of(place), runs)
                 : !read_nodes(memory, type, of_longs, address_of(place), nodes))
      return std::nullopt;
    for (const ElementRun& run : runs)
      for (std::size_t i = 0; i < run.count; ++i) found.push_back(long_at(run.begin + i * sizeof(long)));
    for (const std::uintptr_t node : nodes) found.push_back(long_at(node));
    return found;
  }
};

struct Range {
  const long* begin = nullptr;
  const long* end = nullptr;
  const long* limit = nullptr;
};

HeapType type_of_range() {
  HeapType type;
  type.shape = Shape::range;
  type.at.begin = offsetof(Range, begin);
  type.at.end = offsetof(Range, end);
  type.at.limit = offsetof(Range, limit);
  return type;
}

TEST_F(ContainerMemory, ARangeHasTheElementsUpToItsEnd) {
  const std::array<long, 4> room{1, 2, 3, 4};
  const Range range{room.data(), room.data() + 3, room.data() + 4};
  EXPECT_THAT(elements(type_of_range(), &range), testing::Optional(ElementsAre(1, 2, 3)));
}

TEST_F(ContainerMemory, AnEmptyRangeHasNoAddresses) {
  const Range range;
  EXPECT_THAT(elements(type_of_range(), &range), testing::Optional(IsEmpty()));
}

TEST_F(ContainerMemory, ARangeWhoseAddressesDisagreeIsRejected) {
  const std::array<long, 4> room{1, 2, 3, 4};
  const long* const begin = room.data();
  const Range ends_before_it_begins{begin + 2, begin, begin + 4};
  const Range ends_behind_its_room{begin, begin + 4, begin + 2};
  const Range begins_nowhere{nullptr, begin, begin};
  const Range has_half_an_element{begin, begin + 1,
                                  reinterpret_cast<const long*>(reinterpret_cast<const char*>(begin) + 12)};
  const Range is_unreadable{reinterpret_cast<const long*>(64), reinterpret_cast<const long*>(128),
                            reinterpret_cast<const long*>(128)};
  for (const Range& range :
       {ends_before_it_begins, ends_behind_its_room, begins_nowhere, has_half_an_element, is_unreadable})
    EXPECT_EQ(elements(type_of_range(), &range), std::nullopt);
}

struct Flagged {
  long value = 0;
  std::uint8_t flag = 0;
};

HeapType type_of_optional() {
  HeapType type;
  type.shape = Shape::optional;
  type.at.begin = offsetof(Flagged, flag);
  type.at.value = offsetof(Flagged, value);
  return type;
}

TEST_F(ContainerMemory, AnOptionalHasAValueWhenItsFlagSaysSo) {
  const Flagged with{7, 1};
  const Flagged without{7, 0};
  const Flagged damaged{7, 2};
  EXPECT_THAT(elements(type_of_optional(), &with), testing::Optional(ElementsAre(7)));
  EXPECT_THAT(elements(type_of_optional(), &without), testing::Optional(IsEmpty()));
  EXPECT_EQ(elements(type_of_optional(), &damaged), std::nullopt);
}

/// The words of libstdc++'s std::deque<long>.
enum DequeWord { map, map_size, start, finish = start + 4, deque_words = finish + 4 };

HeapType type_of_deque() {
  HeapType type;
  type.shape = Shape::deque;
  type.at.limit = map * sizeof(long);
  type.at.count = map_size * sizeof(long);
  type.at.begin = start * sizeof(long);
  type.at.end = finish * sizeof(long);
  return type;
}

static_assert(sizeof(std::deque<long>) == deque_words * sizeof(long));

TEST_F(ContainerMemory, ADequesElementsAreReadFromAllItsBuffers) {
  std::deque<long> deque;
  for (long i = 0; i < 300; ++i) deque.push_back(i);
  for (long i = 0; i < 10; ++i) deque.pop_front();
  EXPECT_THAT(elements(type_of_deque(), &deque),
              testing::Optional(testing::ElementsAreArray(std::vector<long>(deque.begin(), deque.end()))));
  const std::deque<long> empty;
  EXPECT_THAT(elements(type_of_deque(), &empty), testing::Optional(IsEmpty()));
}

TEST_F(ContainerMemory, ADequeWhoseIteratorsDisagreeIsRejected) {
  std::deque<long> deque(300, 1);
  std::array<std::uintptr_t, deque_words> words;
  std::memcpy(words.data(), static_cast<const void*>(&deque), sizeof words);
  ASSERT_THAT(elements(type_of_deque(), words.data()), testing::Optional(testing::SizeIs(300)));
  const auto is_rejected_with = [&](int word, std::uintptr_t content) {
    std::array<std::uintptr_t, deque_words> damaged = words;
    damaged[static_cast<std::size_t>(word)] = content;
    return !elements(type_of_deque(), damaged.data()).has_value();
  };
  EXPECT_TRUE(is_rejected_with(map_size, 0)) << "no room for the buffers";
  EXPECT_TRUE(is_rejected_with(map_size, ~std::uintptr_t{0})) << "more room than there is memory";
  EXPECT_TRUE(is_rejected_with(map, 64)) << "an unreadable map";
  EXPECT_TRUE(is_rejected_with(start, words[start + 2] + sizeof(long))) << "the first element behind its buffer";
  EXPECT_TRUE(is_rejected_with(start + 1, words[start + 1] + sizeof(long))) << "another buffer than the map's";
  EXPECT_TRUE(is_rejected_with(start + 3, words[finish + 3] + sizeof(long))) << "the first buffer behind the last";
}

struct Node {
  Node* next = nullptr;
  Node* previous = nullptr;
  long value = 0;
};

struct ListHead {
  Node* next = nullptr;
  Node* previous = nullptr;
  std::size_t count = 0;
};

HeapType type_of_list() {
  HeapType type;
  type.shape = Shape::list;
  type.at.begin = 0;
  type.at.count = offsetof(ListHead, count);
  type.at.next = offsetof(Node, next);
  type.at.previous = offsetof(Node, previous);
  type.at.value = offsetof(Node, value);
  return type;
}

/// A list of three, whose head is a node without a value.
struct ThreeInAList {
  ThreeInAList() {
    Node* const around = reinterpret_cast<Node*>(&head);
    for (std::size_t i = 0; i < nodes.size(); ++i)
      nodes[i] = {i + 1 < nodes.size() ? &nodes[i + 1] : around, i > 0 ? &nodes[i - 1] : around, static_cast<long>(i)};
    head = {&nodes.front(), &nodes.back(), nodes.size()};
  }
  ThreeInAList(const ThreeInAList&) = delete;  // the nodes link to each other
  ThreeInAList& operator=(const ThreeInAList&) = delete;
  std::array<Node, 3> nodes;
  ListHead head;
};

TEST_F(ContainerMemory, AListHasItsNodesInOrder) {
  const ThreeInAList list;
  EXPECT_THAT(elements(type_of_list(), &list.head), testing::Optional(ElementsAre(0, 1, 2)));
}

TEST_F(ContainerMemory, AListThatDoesNotComeBackToItsHeadIsRejected) {
  ThreeInAList cycle;
  cycle.nodes[2].next = &cycle.nodes[1];
  EXPECT_EQ(elements(type_of_list(), &cycle.head), std::nullopt) << "a cycle without the head";
  ThreeInAList crossed;
  crossed.nodes[1].previous = &crossed.nodes[2];
  EXPECT_EQ(elements(type_of_list(), &crossed.head), std::nullopt) << "a link that does not lead back";
}

TEST_F(ContainerMemory, AListOfAnotherLengthThanItSaysIsRejected) {
  for (const std::size_t count : {2U, 4U}) {
    ThreeInAList list;
    list.head.count = count;
    EXPECT_EQ(elements(type_of_list(), &list.head), std::nullopt) << count;
  }
}

TEST_F(ContainerMemory, AListWithAnUnreadableNodeIsRejected) {
  ThreeInAList list;
  list.nodes[0].next = reinterpret_cast<Node*>(64);
  EXPECT_EQ(elements(type_of_list(), &list.head), std::nullopt);
}

struct Chain {
  Node* first = nullptr;
  std::size_t count = 0;
};

HeapType type_of_chain(bool has_count) {
  HeapType type;
  type.shape = Shape::chain;
  type.at.begin = offsetof(Chain, first);
  if (has_count) type.at.count = offsetof(Chain, count);
  type.at.next = offsetof(Node, next);
  type.at.value = offsetof(Node, value);
  return type;
}

TEST_F(ContainerMemory, AChainHasItsNodesInOrder) {
  std::array<Node, 3> nodes{{{&nodes[1], nullptr, 1}, {&nodes[2], nullptr, 2}, {nullptr, nullptr, 3}}};
  const Chain chain{nodes.data(), 3};
  EXPECT_THAT(elements(type_of_chain(true), &chain), testing::Optional(ElementsAre(1, 2, 3)));
  EXPECT_THAT(elements(type_of_chain(false), &chain), testing::Optional(ElementsAre(1, 2, 3)));
}

TEST_F(ContainerMemory, AChainOfAnotherLengthThanItSaysIsRejected) {
  std::array<Node, 2> nodes{{{&nodes[1], nullptr, 1}, {nullptr, nullptr, 2}}};
  for (const std::size_t count : {1U, 3U}) {
    const Chain chain{nodes.data(), count};
    EXPECT_EQ(elements(type_of_chain(true), &chain), std::nullopt) << count;
  }
}

TEST_F(ContainerMemory, AChainThatRunsIntoItselfIsRejected) {
  std::array<Node, 5> nodes{};
  for (std::size_t i = 0; i < nodes.size(); ++i) nodes[i].next = &nodes[(i + 1) % nodes.size()];
  nodes.back().next = &nodes[2];
  const Chain chain{nodes.data(), 0};
  EXPECT_EQ(elements(type_of_chain(false), &chain), std::nullopt);
}

/// libstdc++'s std::map<long, long>: a header beside the comparison, and the number of elements.
constexpr std::size_t word_size = sizeof(long);

HeapType type_of_tree() {
  HeapType type;
  type.shape = Shape::tree;
  type.at.begin = word_size;
  type.at.parent = word_size;
  type.at.left = 2 * word_size;
  type.at.right = 3 * word_size;
  type.at.value = 4 * word_size;
  type.at.count = 5 * word_size;
  return type;
}

static_assert(sizeof(std::map<long, long>) == 6 * word_size);

TEST_F(ContainerMemory, ATreeHasItsElementsInOrder) {
  std::map<long, long> tree;
  std::vector<long> keys;
  for (long i = 0; i < 100; ++i) tree[i * 37 % 101] = i;
  for (const auto& [key, value] : tree) keys.push_back(key);
  EXPECT_THAT(elements(type_of_tree(), &tree), testing::Optional(testing::ElementsAreArray(keys)));
  const std::map<long, long> empty;
  EXPECT_THAT(elements(type_of_tree(), &empty), testing::Optional(IsEmpty()));
}

TEST_F(ContainerMemory, ATreeOfAnotherSizeThanItSaysIsRejected) {
  std::map<long, long> tree{{1, 1}, {2, 2}, {3, 3}};
  std::byte* const count = reinterpret_cast<std::byte*>(&tree) + 5 * word_size;
  for (const std::size_t wrong : {std::size_t{2}, std::size_t{4}, ~std::size_t{0}}) {
    const std::size_t right = tree.size();
    std::memcpy(count, &wrong, sizeof wrong);
    EXPECT_EQ(elements(type_of_tree(), &tree), std::nullopt) << wrong;
    std::memcpy(count, &right, sizeof right);
  }
}

TEST_F(ContainerMemory, ATreeWhoseRootHasAnotherParentIsRejected) {
  std::map<long, long> tree{{1, 1}, {2, 2}, {3, 3}};
  alignas(std::map<long, long>) std::array<std::byte, sizeof tree> copy;
  std::memcpy(copy.data(), static_cast<const void*>(&tree), sizeof tree);
  EXPECT_EQ(elements(type_of_tree(), copy.data()), std::nullopt) << "the root leads back to the true header";
}

}  // namespace
}  // namespace moult::internal
