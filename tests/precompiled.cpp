// Precompiled headers belong to a target, and a program has a main function.
int main() { return 0; }
