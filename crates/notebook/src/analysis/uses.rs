//! The names that a cell uses and that a cell above could provide: what is free in its statements, and what its
//! items name. Local variables are followed through blocks, closures, arms and loops.

use std::{
    collections::{BTreeMap, HashSet},
    ops::Range,
};

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::{
    Expr, PatIdent, Stmt, Token, UseTree,
    ext::IdentExt,
    parse::Parser,
    punctuated::Punctuated,
    visit::{self, Visit},
};

use super::{Analysis, Kind, PAST, Past};

/// A name that a cell uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// The name.
    pub name: String,
    /// Where it is used first, in bytes of the cell's source.
    pub span: Range<usize>,
    /// Whether it is used for sure. False for words inside macros whose syntax is not known.
    pub certain: bool,
    /// Whether it may be a binding: it stands alone as an expression among the statements. Otherwise only an item
    /// can be meant, since items do not see bindings.
    pub binding: bool,
}

/// The free names of a cell, sorted, and the values that it asks for.
pub(super) fn of(statements: &[Stmt], analysis: &Analysis) -> (Vec<Used>, Vec<Past>) {
    let own_items = analysis.defines.iter().filter(|defined| defined.kind != Kind::Binding);
    let mut finder = Finder {
        scopes: vec![own_items.map(|defined| defined.name.clone()).collect()],
        found: BTreeMap::new(),
        in_item: false,
        in_macro: false,
        past: Vec::new(),
    };
    for statement in statements.iter().filter(|statement| matches!(statement, Stmt::Item(_))) {
        finder.visit_stmt(statement);
    }
    for statement in statements.iter().filter(|statement| !matches!(statement, Stmt::Item(_))) {
        finder.visit_stmt(statement);
    }
    finder.past.sort_by_key(|past| past.span.start);
    (finder.found.into_values().collect(), finder.past)
}

/// Whether a bare name in a pattern is more likely a constant or a unit variant than a new binding.
pub(super) fn is_constant_pattern(pattern: &PatIdent) -> bool {
    pattern.by_ref.is_none()
        && pattern.mutability.is_none()
        && pattern.subpat.is_none()
        && pattern.ident.to_string().starts_with(char::is_uppercase)
}

struct Finder {
    scopes: Vec<HashSet<String>>,
    found: BTreeMap<String, Used>,
    in_item: bool,
    in_macro: bool,
    past: Vec<Past>,
}

impl Finder {
    fn used(&mut self, ident: &Ident, binding: bool) {
        let name = ident.unraw().to_string();
        self.used_at(name, ident.span().byte_range(), binding);
    }

    fn used_at(&mut self, name: String, span: Range<usize>, binding: bool) {
        const NEVER: &[&str] = &["self", "Self", "super", "crate", "_", "true", "false"];
        if NEVER.contains(&name.as_str()) || self.scopes.iter().any(|scope| scope.contains(&name)) {
            return;
        }
        let certain = !self.in_macro;
        let binding = binding && !self.in_item;
        match self.found.get_mut(&name) {
            Some(used) => {
                if certain && !used.certain {
                    used.span = span;
                }
                used.certain |= certain;
                used.binding |= binding;
            }
            None => {
                self.found.insert(name.clone(), Used { name, span, certain, binding });
            }
        }
    }

    fn bind(&mut self, name: String) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name);
        }
    }

    fn scoped(&mut self, inside: impl FnOnce(&mut Self)) {
        self.scopes.push(HashSet::new());
        inside(self);
        self.scopes.pop();
    }

    fn item(&mut self, generics: Option<&syn::Generics>, inside: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.in_item, true);
        self.scoped(|this| {
            generics.into_iter().for_each(|generics| this.bind_generics(generics));
            inside(this);
        });
        self.in_item = outer;
    }

    fn bind_generics(&mut self, generics: &syn::Generics) {
        for parameter in &generics.params {
            match parameter {
                syn::GenericParam::Type(parameter) => self.bind(parameter.ident.to_string()),
                syn::GenericParam::Const(parameter) => self.bind(parameter.ident.to_string()),
                syn::GenericParam::Lifetime(_) => {}
            }
        }
    }

    /// The arguments of a macro whose syntax is known: expressions, some of them named, and one format string.
    fn arguments(&mut self, tokens: &TokenStream) -> bool {
        let Ok(arguments) = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(tokens.clone()) else {
            return false;
        };
        self.scoped(|this| {
            for argument in &arguments {
                match argument {
                    Expr::Assign(named) => {
                        this.visit_expr(&named.right);
                        if let Expr::Path(path) = &*named.left
                            && let Some(name) = path.path.get_ident()
                        {
                            this.bind(name.unraw().to_string());
                        }
                    }
                    _ => this.visit_expr(argument),
                }
            }
            this.captures(tokens.clone());
        });
        true
    }

    /// What format strings name inside of their braces.
    fn captures(&mut self, tokens: TokenStream) {
        for token in tokens {
            if let TokenTree::Literal(literal) = token
                && let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string())
            {
                for name in captured(&text.value()) {
                    self.used_at(name, literal.span().byte_range(), true);
                }
            }
        }
    }

    /// The words of a macro whose syntax is not known.
    fn words(&mut self, tokens: TokenStream) {
        self.captures(tokens.clone());
        let mut before = ['\0'; 2];
        for token in tokens {
            let mut last = ' ';
            match &token {
                TokenTree::Group(group) => self.words(group.stream()),
                TokenTree::Ident(ident) => {
                    let field = before[1] == '.' && before[0] != '.';
                    if !field && before[1] != '\'' && syn::parse_str::<syn::Ident>(&ident.to_string()).is_ok() {
                        self.used(ident, true);
                    }
                }
                TokenTree::Punct(punct) => last = punct.as_char(),
                TokenTree::Literal(_) => {}
            }
            before = [before[1], last];
        }
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_expr_path(&mut self, expr: &'ast syn::ExprPath) {
        match expr.path.segments.first() {
            Some(only)
                if expr.qself.is_none() && expr.path.leading_colon.is_none() && expr.path.segments.len() == 1 =>
            {
                self.used(&only.ident, true);
                self.visit_path_arguments(&only.arguments);
            }
            _ => visit::visit_expr_path(self, expr),
        }
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        let is_own = self.in_item || self.scopes.iter().any(|scope| scope.contains(PAST));
        if let Some(past) = Past::of(call).filter(|_| !is_own) {
            self.used_at(Past::name(past.number), past.span.clone(), true);
            self.past.push(past);
            // A cell above may have a function of that name.
            let outer = std::mem::replace(&mut self.in_macro, true);
            self.visit_expr(&call.func);
            self.in_macro = outer;
        } else {
            visit::visit_expr_call(self, call);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let Some(first) = path.segments.first().filter(|_| path.leading_colon.is_none()) {
            self.used(&first.ident, false);
        }
        visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if attribute.path().is_ident("doc") {
            return;
        }
        let outer = std::mem::replace(&mut self.in_macro, true);
        self.visit_path(attribute.path());
        if let syn::Meta::List(list) = &attribute.meta
            && attribute.path().is_ident("derive")
        {
            self.words(list.tokens.clone());
        }
        self.in_macro = outer;
    }

    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        visit::visit_pat_ident(self, pattern);
        if is_constant_pattern(pattern) {
            self.used(&pattern.ident, false);
        } else {
            self.bind(pattern.ident.unraw().to_string());
        }
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if let Some(init) = &local.init {
            self.visit_expr(&init.expr);
            if let Some((_, diverge)) = &init.diverge {
                self.visit_expr(diverge);
            }
        }
        local.attrs.iter().for_each(|attribute| self.visit_attribute(attribute));
        self.visit_pat(&local.pat);
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        self.scoped(|this| {
            let mut inner = Analysis::default();
            for statement in &block.stmts {
                if let Stmt::Item(item) = statement {
                    super::items::describe(item, &mut inner);
                }
            }
            inner.defines.into_iter().for_each(|defined| this.bind(defined.name));
            visit::visit_block(this, block);
        });
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        self.scoped(|this| visit::visit_expr_closure(this, closure));
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.scoped(|this| visit::visit_arm(this, arm));
    }

    fn visit_expr_let(&mut self, expr: &'ast syn::ExprLet) {
        self.visit_expr(&expr.expr);
        self.visit_pat(&expr.pat);
    }

    fn visit_expr_if(&mut self, expr: &'ast syn::ExprIf) {
        self.scoped(|this| {
            this.visit_expr(&expr.cond);
            this.visit_block(&expr.then_branch);
        });
        if let Some((_, otherwise)) = &expr.else_branch {
            self.visit_expr(otherwise);
        }
    }

    fn visit_expr_while(&mut self, expr: &'ast syn::ExprWhile) {
        self.scoped(|this| visit::visit_expr_while(this, expr));
    }

    fn visit_expr_for_loop(&mut self, expr: &'ast syn::ExprForLoop) {
        self.visit_expr(&expr.expr);
        self.scoped(|this| {
            this.visit_pat(&expr.pat);
            this.visit_block(&expr.body);
        });
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        const KNOWN: &[&str] = &[
            "print",
            "println",
            "eprint",
            "eprintln",
            "dbg",
            "format",
            "panic",
            "assert",
            "assert_eq",
            "assert_ne",
            "debug_assert",
            "debug_assert_eq",
            "debug_assert_ne",
            "vec",
            "write",
            "writeln",
            "todo",
            "unreachable",
        ];
        self.visit_path(&call.path);
        let known = call.path.get_ident().is_some_and(|name| KNOWN.iter().any(|known| name == known));
        let outer = self.in_macro;
        self.in_macro |= !known;
        if !self.arguments(&call.tokens) {
            let repeat = |input: syn::parse::ParseStream<'_>| {
                let value: Expr = input.parse()?;
                input.parse::<Token![;]>()?;
                Ok((value, input.parse::<Expr>()?))
            };
            if let Ok((value, count)) = repeat.parse2(call.tokens.clone()) {
                self.visit_expr(&value);
                self.visit_expr(&count);
            } else {
                self.in_macro = true;
                self.words(call.tokens.clone());
            }
        }
        self.in_macro = outer;
    }

    fn visit_item(&mut self, item: &'ast syn::Item) {
        let generics = match item {
            syn::Item::Struct(item) => Some(&item.generics),
            syn::Item::Enum(item) => Some(&item.generics),
            syn::Item::Union(item) => Some(&item.generics),
            syn::Item::Type(item) => Some(&item.generics),
            syn::Item::Trait(item) => Some(&item.generics),
            syn::Item::Impl(item) => Some(&item.generics),
            syn::Item::Fn(item) => Some(&item.sig.generics),
            _ => None,
        };
        match item {
            // The names in its body are resolved where it is called.
            syn::Item::Macro(item) if item.ident.is_some() => {
                let outer = std::mem::replace(&mut self.in_macro, true);
                self.item(None, |this| this.words(item.mac.tokens.clone()));
                self.in_macro = outer;
            }
            // Names inside of a module are reached by `super::`, which names what this cell can see.
            _ => self.item(generics, |this| visit::visit_item(this, item)),
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.item(Some(&function.sig.generics), |this| visit::visit_impl_item_fn(this, function));
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        self.item(Some(&function.sig.generics), |this| visit::visit_trait_item_fn(this, function));
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        fn roots<'ast>(tree: &'ast UseTree, found: &mut Vec<&'ast Ident>) {
            match tree {
                UseTree::Path(tree) => found.push(&tree.ident),
                UseTree::Name(tree) => found.push(&tree.ident),
                UseTree::Rename(tree) => found.push(&tree.ident),
                UseTree::Group(tree) => tree.items.iter().for_each(|tree| roots(tree, found)),
                UseTree::Glob(_) => {}
            }
        }
        let mut found = Vec::new();
        if item.leading_colon.is_none() {
            roots(&item.tree, &mut found);
        }
        // They may just as well be crates.
        let outer = std::mem::replace(&mut self.in_macro, true);
        found.into_iter().for_each(|root| self.used(root, false));
        self.in_macro = outer;
    }
}

/// The names in a format string: `{name}`, `{name:?}`, `{:width$}`.
fn captured(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let text = text.replace("{{", "");
    for part in text.split('{').skip(1) {
        let inside = part.split('}').next().unwrap_or_default();
        let (name, format) = inside.split_once(':').unwrap_or((inside, ""));
        let counts = format.split(['.', '>', '<', '^', '+', '#']).filter_map(|count| count.split_once('$'));
        for name in std::iter::once(name.trim()).chain(counts.map(|(name, _)| name)) {
            if syn::parse_str::<Ident>(name).is_ok() {
                names.push(name.to_owned());
            }
        }
    }
    names
}
