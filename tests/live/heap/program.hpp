// What the program holds, and in what.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <forward_list>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace app {

/// Known by its number. It has no pool.
struct Data {
  explicit Data(int wanted);
  Data(const Data& other);
  Data(Data&& other) noexcept;
  Data& operator=(const Data&) = default;
  Data& operator=(Data&&) = default;
  ~Data();
  bool operator<(const Data& other) const { return number < other.number; }
  bool operator==(const Data& other) const { return number == other.number; }

  int number;
  std::string text = "a text that is longer than a string holds without memory";
  int visits = 0;
};

struct HashOfData {
  std::size_t operator()(const Data& data) const { return static_cast<std::size_t>(data.number); }
};

/// Nodes that hold each other.
struct Node {
  explicit Node(int number) : data(number) {}
  Data data;
  std::vector<std::shared_ptr<Node>> next;
  std::weak_ptr<Node> back;
};

struct Shape {
  virtual ~Shape();
  int sides = 0;
};
struct Named {
  virtual ~Named();
  std::string name = "named";
};
struct Circle final : Named, Shape {
  explicit Circle(int number) : inside(number) { sides = number; }
  Data inside;
};
struct Square : Shape {
  explicit Square(int number) : inside(new Data(number)) {}
  std::unique_ptr<Data> inside;
};

struct Chain {
  Data data{0};
  Chain* next = nullptr;
};

/// One is in read-only memory.
struct Setting {
  int value = 0;
};

/// Only declared here.
struct Hidden;

union Either {
  Data* data;
  long number;
};

using Shelves = std::map<std::string, std::vector<std::unique_ptr<Data>>>;
using Grid = std::array<std::array<Data, 2>, 2>;

struct Depot {
  Shelves shelves;
  std::unordered_map<int, std::deque<Data>> queues;
  std::list<std::optional<Data>> perhaps;
  static std::vector<Data> shared;
};

/// Numbers of all that live.
std::multiset<int>& living();

/// Fills every variable with objects; returns the numbers of those that a walk finds.
std::multiset<int> fill();
void clear();
/// A chain of that many objects.
void make_chain(int length);

Depot& depot();
std::vector<Data>& plain_vector();
std::list<Data>& plain_list();
void keep_dangling(Shape* pointer);
Chain*& chain();

}  // namespace app
