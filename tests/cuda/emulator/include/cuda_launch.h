// What Python calls: a kernel through an array of pointers to its arguments, as cuLaunchKernel takes them, and the types
// of its parameters as text.
#pragma once

template <class T> struct dk_code;
#define DK_CODE(T, text) \
    template <> struct dk_code<T> { static constexpr const char *value = text; };
DK_CODE(void, "any") DK_CODE(bool, "b1") DK_CODE(signed char, "i1") DK_CODE(unsigned char, "u1") DK_CODE(short, "i2")
DK_CODE(unsigned short, "u2") DK_CODE(int, "i4") DK_CODE(unsigned, "u4") DK_CODE(long long, "i8")
DK_CODE(unsigned long long, "u8") DK_CODE(__half, "f2") DK_CODE(__nv_bfloat16, "bf") DK_CODE(float, "f4")
DK_CODE(double, "f8") DK_CODE(float2, "f4") DK_CODE(float4, "f4") DK_CODE(double2, "f8") DK_CODE(int2, "i4")
DK_CODE(int4, "i4") DK_CODE(uint2, "u4") DK_CODE(uint4, "u4") DK_CODE(ulonglong2, "u8")
#undef DK_CODE

template <class T, class = const char *> struct dk_scalar {
    static char *write(char *to) {  // a structure by value
        *to++ = 'v';
        return to + __builtin_sprintf(to, "%d ", int(sizeof(T)));
    }
};
inline char *dk_write(char *to, char kind, const char *code) {
    *to++ = kind;
    while (*code) *to++ = *code++;
    *to++ = ' ';
    return to;
}
template <class T> struct dk_scalar<T, decltype(dk_code<T>::value + 0)> {
    static char *write(char *to) { return dk_write(to, 's', dk_code<T>::value); }
};
template <class T> struct dk_parameter : dk_scalar<T> {};
template <class T> struct dk_parameter<const T> : dk_parameter<T> {};
template <class T> struct dk_parameter<T *> {
    static char *write(char *to) { return dk_write(to, 'p', dk_code<T>::value); }
};
template <class T> struct dk_parameter<const T *> {
    static char *write(char *to) { return dk_write(to, 'c', dk_code<T>::value); }
};

template <int... I> struct dk_indices {};
template <int N, int... I> struct dk_count : dk_count<N - 1, N - 1, I...> {};
template <int... I> struct dk_count<0, I...> { typedef dk_indices<I...> type; };

template <class... A, int... I> inline void dk_call(void (*kernel)(A...), void **arguments, dk_indices<I...>) {
    kernel(*static_cast<A *>(arguments[I])...);
}
template <class... A> inline void dk_call(void (*kernel)(A...), void **arguments) {
    dk_call(kernel, arguments, typename dk_count<sizeof...(A)>::type());
}
template <class... A> inline void dk_signature(void (*)(A...), char *to) {
    ((to = dk_parameter<A>::write(to)), ...);
    *to = 0;
}

