//! Items: the names they define, and what to insert into their text so that later cells can reach them. The user's
//! own text stays as it is, byte for byte, so that every span can be mapped back.

use std::ops::Range;

use proc_macro2::{Ident, Span, TokenTree};
use syn::{Fields, ImplItem, Item, UseTree, Visibility, ext::IdentExt, spanned::Spanned};

use super::{Analysis, Defined, Kind};

/// Generated text in place of a (mostly empty) range of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced.
    pub range: Range<usize>,
    /// The text that stands there instead.
    pub text: &'static str,
}

/// One leaf of a `use` item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The name it brings in; none for a glob and for `as _`.
    pub name: Option<String>,
    /// The path as written, without the rename; without the `*` of a glob.
    pub path: String,
    /// Whether it ends in `*`.
    pub glob: bool,
}

/// Adds an item's names and edits to the analysis.
pub(super) fn describe(item: &Item, analysis: &mut Analysis) {
    let mut define = |ident: &Ident, kind| {
        let name = ident.unraw().to_string();
        analysis.defines.push(Defined { name, span: ident.span().byte_range(), kind });
    };
    match item {
        Item::Fn(item) => define(&item.sig.ident, Kind::Function),
        Item::Struct(item) => define(&item.ident, Kind::Type),
        Item::Enum(item) => define(&item.ident, Kind::Type),
        Item::Union(item) => define(&item.ident, Kind::Type),
        Item::Type(item) => define(&item.ident, Kind::Type),
        Item::Trait(item) => define(&item.ident, Kind::Trait),
        Item::TraitAlias(item) => define(&item.ident, Kind::Trait),
        Item::Const(item) if item.ident != "_" => define(&item.ident, Kind::Constant),
        Item::Static(item) => define(&item.ident, Kind::Constant),
        Item::Mod(item) => define(&item.ident, Kind::Module),
        Item::ExternCrate(item) => {
            define(item.rename.as_ref().map_or(&item.ident, |(_, name)| name), Kind::Import);
        }
        _ => {}
    }
    match item {
        Item::Macro(item) => {
            if let Some(ident) = &item.ident {
                let name = ident.unraw().to_string();
                let mut words = Vec::new();
                collect_words(item.mac.tokens.clone(), &mut words);
                analysis.macro_uses.push((name.clone(), words));
                analysis.defines.push(Defined { name, span: ident.span().byte_range(), kind: Kind::Macro });
                if !item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export")) {
                    insert(analysis, item.span(), "#[macro_export] ");
                }
            }
        }
        Item::Use(item) => {
            publish(analysis, &item.vis, item.use_token.span);
            let root = if item.leading_colon.is_some() { "::" } else { "" };
            leaves(&item.tree, root, analysis);
        }
        Item::Fn(item) => publish(analysis, &item.vis, item.sig.span()),
        Item::Struct(item) => {
            publish(analysis, &item.vis, item.struct_token.span);
            publish_fields(analysis, &item.fields);
        }
        Item::Union(item) => {
            publish(analysis, &item.vis, item.union_token.span);
            for field in &item.fields.named {
                publish_field(analysis, field);
            }
        }
        Item::Enum(item) => publish(analysis, &item.vis, item.enum_token.span),
        Item::Type(item) => publish(analysis, &item.vis, item.type_token.span),
        Item::Trait(item) => {
            let start = item.unsafety.map_or(item.trait_token.span, |token| token.span);
            publish(analysis, &item.vis, item.auto_token.map_or(start, |token| token.span));
        }
        Item::Const(item) => publish(analysis, &item.vis, item.const_token.span),
        Item::Static(item) => publish(analysis, &item.vis, item.static_token.span),
        Item::Mod(item) => {
            publish(analysis, &item.vis, item.unsafety.map_or(item.mod_token.span, |token| token.span));
        }
        Item::ExternCrate(item) => publish(analysis, &item.vis, item.extern_token.span),
        Item::Impl(item) if item.trait_.is_none() => {
            for member in &item.items {
                match member {
                    ImplItem::Fn(member) => publish(analysis, &member.vis, member.sig.span()),
                    ImplItem::Const(member) => publish(analysis, &member.vis, member.const_token.span),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn publish_fields(analysis: &mut Analysis, fields: &Fields) {
    for field in fields {
        publish_field(analysis, field);
    }
}

fn publish_field(analysis: &mut Analysis, field: &syn::Field) {
    let start = field.ident.as_ref().map_or_else(|| field.ty.span(), Ident::span);
    publish(analysis, &field.vis, start);
}

/// Makes an item public: `pub(crate)` is widened too, since every cell is a crate.
fn publish(analysis: &mut Analysis, visibility: &Visibility, start: Span) {
    match visibility {
        Visibility::Public(_) => {}
        Visibility::Inherited => insert(analysis, start, "pub "),
        Visibility::Restricted(restricted) => {
            analysis.edits.push(Edit { range: restricted.span().byte_range(), text: "pub" });
        }
    }
}

fn insert(analysis: &mut Analysis, before: Span, text: &'static str) {
    let start = before.byte_range().start;
    analysis.edits.push(Edit { range: start..start, text });
}

fn leaves(tree: &UseTree, path: &str, analysis: &mut Analysis) {
    let join = |last: &Ident| {
        if path.is_empty() || path == "::" { format!("{path}{last}") } else { format!("{path}::{last}") }
    };
    let mut leaf = |name: String, span: Span, path: String| {
        analysis.defines.push(Defined { name: name.clone(), span: span.byte_range(), kind: Kind::Import });
        analysis.imports.push(Import { name: Some(name), path, glob: false });
    };
    match tree {
        UseTree::Path(tree) => leaves(&tree.tree, &join(&tree.ident), analysis),
        UseTree::Group(tree) => tree.items.iter().for_each(|tree| leaves(tree, path, analysis)),
        UseTree::Glob(_) => analysis.imports.push(Import { name: None, path: path.to_owned(), glob: true }),
        // `use a::b::{self}` brings in `b`; its span is that of `self`.
        UseTree::Name(tree) if tree.ident == "self" => {
            let last = path.rsplit("::").next().unwrap_or(path).trim_start_matches("r#");
            leaf(last.to_owned(), tree.ident.span(), path.to_owned());
        }
        UseTree::Name(tree) => leaf(tree.ident.unraw().to_string(), tree.ident.span(), join(&tree.ident)),
        UseTree::Rename(tree) => {
            let path = if tree.ident == "self" { path.to_owned() } else { join(&tree.ident) };
            if tree.rename == "_" {
                analysis.imports.push(Import { name: None, path, glob: false });
            } else {
                leaf(tree.rename.unraw().to_string(), tree.rename.span(), path);
            }
        }
    }
}

/// All words in a macro's body.
fn collect_words(tokens: proc_macro2::TokenStream, words: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => collect_words(group.stream(), words),
            TokenTree::Ident(ident) => {
                let word = ident.unraw().to_string();
                if !words.contains(&word) {
                    words.push(word);
                }
            }
            _ => {}
        }
    }
}
